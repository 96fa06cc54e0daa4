//! Milestones: evidence, the supervisor's statement, the staff's decision, the payment; four steps by different people.

use entities::delivery::{Decision, FileOwner, submission};
use entities::ids::{FileId, MilestoneId, ProjectId, SubmissionId};
use entities::projects::{Part, ProjectState, project};
use entities::tenders::{MilestoneState, milestone};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use serde_json::json;

use super::{Standing, attach, findings, people_of, tell};
use crate::delivery::domain::states::{self, MilestoneStep};
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::money;
use crate::platform::state::AppState;
use crate::{audit, projects, tenders};

/// A milestone, locked with its project, for somebody who is in it what `is` says.
async fn lock(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MilestoneId,
    is: impl Fn(Standing) -> bool,
) -> Result<(project::Model, milestone::Model), Problem> {
    let contract = tenders::contract_of_milestone(txn, id).await?;
    let project = projects::lock(txn, contract.project_id).await?;
    let standing = super::standing(txn, actor, &project).await?;
    if !standing.is_inside() {
        return Err(Code::NotFound.into());
    }
    if !is(standing) {
        return Err(Code::Forbidden.into());
    }
    Ok((project, tenders::lock_milestone(txn, id).await?))
}

/// Moves a milestone as the table says; the state is part of the statement.
async fn step(
    txn: &DatabaseTransaction,
    row: &milestone::Model,
    what: MilestoneStep,
    accepted: Option<(entities::ids::UserId, chrono::DateTime<chrono::Utc>)>,
) -> Result<milestone::Model, Problem> {
    let to = states::milestone(row.state, what).ok_or(Code::MilestoneState)?;
    let mut moved = milestone::Entity::update_many()
        .col_expr(milestone::Column::State, to.into())
        .filter(milestone::Column::Id.eq(row.id))
        .filter(milestone::Column::State.eq(row.state));
    if let Some((by, at)) = accepted {
        moved =
            moved.col_expr(milestone::Column::AcceptedBy, by.into()).col_expr(milestone::Column::AcceptedAt, at.into());
    }
    moved.exec_with_returning(txn).await?.into_iter().next().ok_or_else(|| Code::MilestoneState.into())
}

async fn open_submission(txn: &DatabaseTransaction, id: MilestoneId) -> Result<submission::Model, Problem> {
    let open = submission::Entity::find()
        .filter(submission::Column::MilestoneId.eq(id))
        .filter(submission::Column::Decision.is_null());
    open.one(txn).await?.ok_or_else(|| Code::MilestoneState.into())
}

fn running(project: &project::Model) -> Result<(), Problem> {
    if project.state == ProjectState::Running { Ok(()) } else { Err(Code::ProjectNotRunning.into()) }
}

/// The implementer hands evidence in.
pub(crate) async fn submit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MilestoneId,
    body: &str,
    file_ids: &[FileId],
) -> Result<milestone::Model, Problem> {
    let (project, row) = lock(txn, actor, id, |is| is.implementer).await?;
    running(&project)?;
    let row = step(txn, &row, MilestoneStep::Submit, None).await?;
    let last = submission::Entity::find()
        .filter(submission::Column::MilestoneId.eq(id))
        .order_by_desc(submission::Column::Round)
        .one(txn)
        .await?;
    let submission_id: SubmissionId = ids::ordered(&state.clock);
    let new = submission::ActiveModel {
        id: Set(submission_id),
        milestone_id: Set(id),
        project_id: Set(project.id),
        round: Set(last.map_or(0, |last| last.round) + 1),
        body: Set(body.to_owned()),
        submitted_by: Set(actor.user_id),
        submitted_at: Set(state.clock.now()),
        statement: Set(None),
        supports: Set(None),
        stated_by: Set(None),
        stated_at: Set(None),
        decision: Set(None),
        reason: Set(None),
        decided_by: Set(None),
        decided_at: Set(None),
    };
    new.insert(txn).await?;
    attach(txn, actor, &project, (FileOwner::Evidence, submission_id.0), file_ids).await?;
    let supervisors = people_of(txn, project.id, Part::Supervisor).await?;
    let kind = ("milestone.submitted", submission_id.0);
    tell(state, txn, &supervisors, kind, "节点材料待核实", row.title.clone(), project.id).await?;
    note(state, txn, actor, &project, id, "milestone.submit").await?;
    Ok(row)
}

/// The supervisor states what they think of the evidence.
pub(crate) async fn state_opinion(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MilestoneId,
    (statement, supports): (&str, bool),
) -> Result<milestone::Model, Problem> {
    let (project, row) = lock(txn, actor, id, |is| is.supervisor).await?;
    running(&project)?;
    let open = open_submission(txn, id).await?;
    let stated = submission::Entity::update_many()
        .col_expr(submission::Column::Statement, statement.into())
        .col_expr(submission::Column::Supports, supports.into())
        .col_expr(submission::Column::StatedBy, actor.user_id.into())
        .col_expr(submission::Column::StatedAt, state.clock.now().into())
        .filter(submission::Column::Id.eq(open.id))
        .filter(submission::Column::Statement.is_null())
        .exec(txn)
        .await?;
    if stated.rows_affected == 0 {
        return Err(Code::AlreadyDecided.into());
    }
    let staff = findings::in_charge(state, txn, &project).await?;
    let kind = ("milestone.stated", open.id.0);
    tell(state, txn, &staff, kind, "节点待验收", row.title.clone(), project.id).await?;
    note(state, txn, actor, &project, id, "milestone.state").await?;
    Ok(row)
}

/// Staff accept a milestone, or return it with a reason, after the supervisor's statement.
pub(crate) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MilestoneId,
    (decision, reason): (Decision, Option<&str>),
) -> Result<milestone::Model, Problem> {
    let (project, row) = lock(txn, actor, id, |is| is.staff).await?;
    running(&project)?;
    if decision == Decision::Returned && reason.is_none() {
        return Err(Problem::field("/reason", "退回须说明理由 / a return needs a reason"));
    }
    let now = state.clock.now();
    let open = open_submission(txn, id).await?;
    let decided = submission::Entity::update_many()
        .col_expr(submission::Column::Decision, decision.into())
        .col_expr(submission::Column::Reason, Expr::value(reason.map(str::to_owned)))
        .col_expr(submission::Column::DecidedBy, actor.user_id.into())
        .col_expr(submission::Column::DecidedAt, now.into())
        .filter(submission::Column::Id.eq(open.id))
        .filter(submission::Column::Decision.is_null())
        .filter(submission::Column::Statement.is_not_null())
        .exec(txn)
        .await?;
    if decided.rows_affected == 0 {
        return Err(Code::StatementMissing.into());
    }
    let by = (decision == Decision::Accepted).then_some((actor.user_id, now));
    let row = step(txn, &row, MilestoneStep::Decide(decision), by).await?;
    let implementers = people_of(txn, project.id, Part::Implementer).await?;
    let (title, word) = match decision {
        Decision::Accepted => ("节点已验收，待付款", "milestone.accept"),
        Decision::Returned => ("节点材料被退回", "milestone.return"),
    };
    let body = format!("{}。{}", row.title, reason.unwrap_or_default());
    tell(state, txn, &implementers, ("milestone.decided", open.id.0), title, body, project.id).await?;
    note(state, txn, actor, &project, id, word).await?;
    Ok(row)
}

/// Another officer pays the tranche of an accepted milestone, once; the ledger and the notice come with it.
pub(crate) async fn pay(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MilestoneId,
) -> Result<milestone::Model, Problem> {
    let (project, row) = lock(txn, actor, id, |is| is.staff).await?;
    if row.accepted_by == Some(actor.user_id) {
        return Err(Code::OwnAct.into());
    }
    if row.state != MilestoneState::Accepted || row.paid_at.is_some() {
        return Err(Code::MilestoneState.into());
    }
    let row = tenders::pay(state, txn, actor, id).await?;
    let body =
        format!("“{}”第 {} 个节点“{}”已验收并付款：{}。", project.title, row.seq, row.title, yuan(row.amount_fen));
    let notice = Notice {
        community_id: project.community_id,
        kind: "milestone.paid",
        title: format!("项目付款公示：{}", project.title),
        body,
        subject: Some(("milestone", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    let implementers = people_of(txn, project.id, Part::Implementer).await?;
    let kind = ("milestone.paid", id.0);
    tell(state, txn, &implementers, kind, "节点款项已支付", row.title.clone(), project.id).await?;
    note(state, txn, actor, &project, id, "milestone.pay").await?;
    Ok(row)
}

/// Fen as people write them.
pub fn yuan(fen: i64) -> String {
    format!("{} 元", money::yuan_and_fen(fen))
}

async fn note(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    id: MilestoneId,
    word: &str,
) -> Result<(), Problem> {
    let detail = json!({ "project_id": project.id });
    audit::record(state, txn, Some(actor.user_id), word, ("milestone", id.0), Some(project.place_id), detail).await
}

/// Whether a project has a milestone that is accepted and not paid: it is owed.
pub async fn is_owed(connection: &impl ConnectionTrait, id: ProjectId) -> Result<bool, Problem> {
    let Some(contract) = tenders::contract_of(connection, id).await? else { return Ok(false) };
    let owed = milestone::Entity::find()
        .filter(milestone::Column::ContractId.eq(contract.id))
        .filter(milestone::Column::State.eq(MilestoneState::Accepted))
        .filter(milestone::Column::PaidAt.is_null());
    Ok(owed.count(connection).await? > 0)
}
