//! A project's states and who moves it from one to the next: ONE table. `docs/LIFECYCLE.md` is printed from it, the API's
//! `allowed_actions` are read from it, the trigger `projects_lifecycle` holds everybody to it (a test compares the two), and
//! [`step`](super::step) takes every step by it.
//!
//! The seven steps of the procedure: 1 needs are collected → 2 an organisation designs (`proposed` … `submitted`) → 3 experts
//! review (`shortlisted`, `selected`) → 4 organisations compete (`tendering`, `awarding`, `contracted`) → 5 a supervisor follows
//! the work and 6 residents take part (`running`, `completed`) → 7 a third party evaluates (`evaluated`, `finished`).

use std::fmt::Write;

use ProjectAction as A;
use ProjectState as S;
use entities::projects::{ProjectAction, ProjectState};
use serde::Serialize;
use utoipa::ToSchema;

/// What somebody is to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Designs it: somebody of the designing organisation; without one, whoever created it.
    Designer,
    /// Runs the programme that pays for it: staff who may manage projects at the programme's place, and who belong to no
    /// organisation that designs, carries out, supervises or evaluates it.
    Programme,
    /// Somebody of the organisation that carries it out.
    Implementer,
    /// Somebody of the organisation that supervises it.
    Supervisor,
    /// Somebody of the third party that evaluates it.
    Evaluator,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What is done.
    pub action: ProjectAction,
    /// In which states.
    pub from: &'static [ProjectState],
    /// Where it leads.
    pub to: ProjectState,
    /// By whom.
    pub who: Who,
    /// Whether it must be said why.
    pub reason: bool,
    /// What must hold, besides.
    pub needs: &'static str,
    /// What it brings about, in the same transaction.
    pub does: &'static str,
}

const fn step(
    action: ProjectAction,
    from: &'static [ProjectState],
    to: ProjectState,
    who: Who,
    needs: &'static str,
    does: &'static str,
) -> Step {
    Step { action, from, to, who, reason: false, needs, does }
}

const fn reasoned(step: Step) -> Step {
    Step { reason: true, ..step }
}

use Who::{Designer, Evaluator, Implementer, Programme};

/// The table.
#[rustfmt::skip]
pub const STEPS: &[Step] = &[
    step(A::Submit, &[S::Proposed, S::Returned], S::Submitted, Designer,
        "在征集期内，设计书完整，预算不超上限 / the programme takes proposals, the design is complete, its budget within the cap",
        "设计书定稿为一个版本 / the design becomes a version that stays"),
    reasoned(step(A::Return, &[S::Submitted], S::Returned, Programme,
        "评审期内 / before the reviews end",
        "告知设计方 / the designer is told")),
    step(A::Shortlist, &[S::Submitted], S::Shortlisted, Programme,
        "专家评审份数足够 / enough experts have reviewed this version",
        "公示入围，异议期开始 / a notice with a window for objections"),
    reasoned(step(A::Decline, &[S::Submitted, S::Shortlisted], S::Declined, Programme,
        "",
        "释放需求，公示 / its needs are free again; a notice")),
    step(A::Withdraw, &[S::Proposed, S::Submitted, S::Returned], S::Withdrawn, Designer,
        "",
        "释放需求 / its needs are free again"),
    step(A::Select, &[S::Shortlisted], S::Selected, Programme,
        "按计划的规则入选，经费足够，入围无未决、成立的异议 / the programme's rule takes it, the budget covers it, no objection to its shortlisting stands",
        "划定经费，公示，异议期开始 / its money is committed; a notice with a window for objections"),
    step(A::Tender, &[S::Selected], S::Tendering, Programme,
        "入围、入选公示期满且无未决、成立的异议 / the windows of its shortlisting and selection are over without an open or upheld objection",
        "公开招标 / a tender opens; a notice"),
    reasoned(step(A::FailTender, &[S::Tendering], S::Selected, Programme,
        "已过截标时间 / the tender is closed",
        "公示流标 / a notice")),
    step(A::Award, &[S::Tendering], S::Awarding, Programme,
        "两人开标，评分完成 / opened by two, every bid scored",
        "公示中选结果，异议期开始 / a notice with a window for objections"),
    reasoned(step(A::SetAside, &[S::Awarding], S::Tendering, Programme,
        "有成立的异议 / an objection was upheld",
        "更正公示 / a correction of the notice")),
    step(A::Contract, &[S::Awarding], S::Contracted, Implementer,
        "异议期满且无未决异议，双方签署 / the window is over without an open or upheld objection; both have signed",
        "合同金额划入合同账户，余额退回 / the price moves to the contract, the rest returns; a notice"),
    step(A::Start, &[S::Contracted], S::Running, Implementer,
        "已指定督导机构 / a supervisor is assigned",
        ""),
    step(A::Complete, &[S::Running], S::Completed, Implementer,
        "所有节点已验收，问题已整改 / every milestone accepted, no finding open",
        "居民评议开始 / residents can rate it"),
    step(A::Evaluate, &[S::Completed], S::Evaluated, Evaluator,
        "居民评议已公布，评估机构独立 / the residents' rating is published; the evaluator is independent",
        "公示评估结果 / a notice"),
    reasoned(step(A::Rectify, &[S::Completed], S::Rectifying, Evaluator,
        "评估结论为整改，有期限 / the result is to rectify, by a day",
        "公示 / a notice")),
    step(A::Resubmit, &[S::Rectifying], S::Completed, Implementer,
        "说明整改情况 / says what was put right",
        "再次评估 / it is evaluated again"),
    step(A::Finish, &[S::Evaluated], S::Finished, Programme,
        "",
        "余款退回，需求办结并告知 / unspent money returns; its needs are resolved and their authors told"),
    reasoned(step(A::Cancel, &[S::Selected, S::Tendering, S::Awarding], S::Cancelled, Programme,
        "",
        "经费退回，释放需求，公示 / the money returns, its needs are free again; a notice")),
    reasoned(step(A::Terminate, &[S::Contracted, S::Running, S::Completed, S::Rectifying], S::Terminated, Programme,
        "已验收的节点均已付款 / every accepted milestone is paid",
        "未付经费退回，公示 / what is not paid returns; a notice")),
];

/// The line of an action. Every action has one: a test goes through them.
pub fn line(action: ProjectAction) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.action == action)
}

/// What somebody may do next, who is this to the project.
pub fn allowed(state: ProjectState, roles: &[Who]) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| step.from.contains(&state) && roles.contains(&step.who))
}

/// Whether a project in this state goes nowhere any more.
pub fn is_end(state: ProjectState) -> bool {
    !STEPS.iter().any(|step| step.from.contains(&state))
}

/// `docs/LIFECYCLE.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# A project's way\n\nPrinted from `src/projects/lifecycle.rs`; `LINLI_BLESS=1 cargo test --test architecture` prints it anew.\n\n```mermaid\nstateDiagram-v2\n    [*] --> proposed\n",
    );
    for step in STEPS {
        for from in step.from {
            let _ = writeln!(page, "    {from} --> {}: {}", step.to, step.action);
        }
    }
    let mut ends: Vec<_> = STEPS.iter().map(|step| step.to).filter(|state| is_end(*state)).collect();
    ends.dedup();
    for end in ends {
        let _ = writeln!(page, "    {end} --> [*]");
    }
    page.push_str("```\n\n| action | from | to | who | needs | does |\n|---|---|---|---|---|---|\n");
    for step in STEPS {
        let from: Vec<_> = step.from.iter().map(ToString::to_string).collect();
        let reason = if step.reason { "理由 / a reason" } else { "" };
        let needs: Vec<_> = [step.needs, reason].into_iter().filter(|words| !words.is_empty()).collect();
        let who = format!("{:?}", step.who).to_lowercase();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {who} | {} | {} |",
            step.action,
            from.join(", "),
            step.to,
            needs.join("; "),
            step.does
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sea_orm::Iterable;

    #[test]
    fn every_action_has_one_line_and_every_state_can_be_reached() {
        for action in ProjectAction::iter() {
            assert_eq!(STEPS.iter().filter(|step| step.action == action).count(), 1, "{action}");
        }
        for state in ProjectState::iter().filter(|state| *state != S::Proposed) {
            assert!(STEPS.iter().any(|step| step.to == state), "{state}");
        }
    }

    proptest! {
        #[test]
        fn every_way_can_be_walked_to_an_end(choices in proptest::collection::vec(0_usize..100, 60)) {
            let mut state = S::Proposed;
            for choice in choices {
                let next: Vec<_> = STEPS.iter().filter(|step| step.from.contains(&state)).collect();
                if next.is_empty() {
                    break;
                }
                prop_assert!(!is_end(state));
                state = next[choice % next.len()].to;
            }
            // From wherever the walk stopped, one of the ways out leads to an end.
            let out = [A::Withdraw, A::Decline, A::Cancel, A::Terminate, A::Finish];
            prop_assert!(is_end(state) || STEPS.iter().any(|step| step.from.contains(&state) && out.contains(&step.action)));
        }
    }
}
