//! The states of a finding and of a milestone's evidence, each as one table.

use chrono::{DateTime, TimeDelta, Utc};
use entities::delivery::{Decision, FindingState, Verdict};
use entities::tenders::MilestoneState;

/// What somebody does about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingStep {
    /// The implementer says what was done.
    Rectify,
    /// The supervisor looked again.
    Check(Verdict),
}

/// Every step that a finding takes: from, what, to.
pub const FINDING: &[(FindingState, FindingStep, FindingState)] = &[
    (FindingState::Open, FindingStep::Rectify, FindingState::Rectified),
    (FindingState::Rectified, FindingStep::Check(Verdict::Closed), FindingState::Closed),
    (FindingState::Rectified, FindingStep::Check(Verdict::Again), FindingState::Open),
];

/// Where a step leads; nowhere if the table does not have it.
pub fn finding(from: FindingState, step: FindingStep) -> Option<FindingState> {
    FINDING.iter().find(|(state, known, _)| (*state, *known) == (from, step)).map(|(.., to)| *to)
}

/// What somebody does about a milestone. That it is paid is no state: an accepted one is paid, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MilestoneStep {
    /// The implementer hands evidence in.
    Submit,
    /// Staff decide on it.
    Decide(Decision),
}

/// Every step that a milestone takes: from, what, to.
pub const MILESTONE: &[(MilestoneState, MilestoneStep, MilestoneState)] = &[
    (MilestoneState::Planned, MilestoneStep::Submit, MilestoneState::Submitted),
    (MilestoneState::Returned, MilestoneStep::Submit, MilestoneState::Submitted),
    (MilestoneState::Submitted, MilestoneStep::Decide(Decision::Accepted), MilestoneState::Accepted),
    (MilestoneState::Submitted, MilestoneStep::Decide(Decision::Returned), MilestoneState::Returned),
];

/// Where a step leads; nowhere if the table does not have it.
pub fn milestone(from: MilestoneState, step: MilestoneStep) -> Option<MilestoneState> {
    MILESTONE.iter().find(|(state, known, _)| (*state, *known) == (from, step)).map(|(.., to)| *to)
}

/// What is due with a finding that is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its day comes near: the implementer is reminded, once.
    Remind,
    /// Its day is over: the programme's staff are told, once.
    Escalate,
}

/// What is to be done about a finding now, if anything.
pub fn due(
    now: DateTime<Utc>,
    due_at: DateTime<Utc>,
    (reminded, escalated): (bool, bool),
    days_before: i64,
) -> Option<Due> {
    if now >= due_at {
        return (!escalated).then_some(Due::Escalate);
    }
    (!reminded && now >= due_at - TimeDelta::days(days_before)).then_some(Due::Remind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_closed_finding_never_opens_again() {
        assert!(FINDING.iter().all(|(from, ..)| *from != FindingState::Closed));
        assert_eq!(
            finding(FindingState::Open, FindingStep::Check(Verdict::Closed)),
            None,
            "not without a rectification"
        );
    }

    #[test]
    fn an_accepted_milestone_stays_accepted() {
        assert!(
            MILESTONE.iter().all(|(from, ..)| *from != MilestoneState::Accepted && *from != MilestoneState::Dropped)
        );
        assert_eq!(
            milestone(MilestoneState::Planned, MilestoneStep::Decide(Decision::Accepted)),
            None,
            "not without evidence"
        );
    }

    proptest! {
        #[test]
        fn each_is_told_once_and_in_order(hours in -400_i64..400, days in 0_i64..10) {
            let due_at = DateTime::UNIX_EPOCH;
            let now = due_at + TimeDelta::hours(hours);
            prop_assert_eq!(due(now, due_at, (true, true), days), None);
            match due(now, due_at, (false, false), days) {
                Some(Due::Escalate) => prop_assert!(now >= due_at),
                Some(Due::Remind) => prop_assert!(now < due_at && now >= due_at - TimeDelta::days(days)),
                None => prop_assert!(now < due_at - TimeDelta::days(days)),
            }
        }
    }
}
