//! Findings: rectified by the implementer, checked by the supervisor, reminded of and escalated when their day comes.

use std::collections::HashMap;

use chrono::TimeDelta;
use entities::delivery::{FileOwner, FindingState, Verdict, finding, rectification};
use entities::ids::{FileId, FindingId, ProjectId, UserId};
use entities::programmes::programme;
use entities::projects::{Part, ProjectState, project};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use super::{attach, people_of, tell};
use crate::delivery::domain::states::{self, Due, FindingStep};
use crate::identity::{self, Actor, Role};
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::{audit, places, projects};

/// A finding with its project locked, for somebody who is in it what `is` says.
async fn lock(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FindingId,
    is: impl Fn(super::Standing) -> bool,
) -> Result<(project::Model, finding::Model), Problem> {
    let row = finding::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let project = projects::lock(txn, row.project_id).await?;
    let standing = super::standing(txn, actor, &project).await?;
    if !standing.is_inside() {
        return Err(Code::NotFound.into());
    }
    if !is(standing) {
        return Err(Code::Forbidden.into());
    }
    if !matches!(project.state, ProjectState::Running) {
        return Err(Code::ProjectNotRunning.into());
    }
    // Read again: the lock may have had to wait for whoever moved the finding.
    let row = finding::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    Ok((project, row))
}

async fn step(
    txn: &DatabaseTransaction,
    row: &finding::Model,
    what: FindingStep,
    by: Option<(UserId, chrono::DateTime<chrono::Utc>)>,
) -> Result<finding::Model, Problem> {
    let to = states::finding(row.state, what).ok_or(Code::FindingState)?;
    let mut moved = finding::Entity::update_many()
        .col_expr(finding::Column::State, to.into())
        .filter(finding::Column::Id.eq(row.id))
        .filter(finding::Column::State.eq(row.state));
    if let Some((by, at)) = by.filter(|_| to == FindingState::Closed) {
        moved = moved.col_expr(finding::Column::ClosedBy, by.into()).col_expr(finding::Column::ClosedAt, at.into());
    }
    let moved = moved.exec_with_returning(txn).await?;
    moved.into_iter().next().ok_or_else(|| Code::FindingState.into())
}

/// The implementer says what was done about a finding.
pub(crate) async fn rectify(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FindingId,
    done: &str,
    file_ids: &[FileId],
) -> Result<finding::Model, Problem> {
    let (project, before) = lock(txn, actor, id, |is| is.implementer).await?;
    let row = step(txn, &before, FindingStep::Rectify, None).await?;
    let last = rectification::Entity::find()
        .filter(rectification::Column::FindingId.eq(id))
        .order_by_desc(rectification::Column::Round)
        .one(txn)
        .await?;
    let rectified = rectification::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        finding_id: Set(id),
        round: Set(last.map_or(0, |last| last.round) + 1),
        done: Set(done.to_owned()),
        done_by: Set(actor.user_id),
        done_at: Set(state.clock.now()),
        verdict: Set(None),
        remark: Set(None),
        checked_by: Set(None),
        checked_at: Set(None),
    };
    let rectified = rectified.insert(txn).await?;
    attach(txn, actor, &project, (FileOwner::Rectification, rectified.id.0), file_ids).await?;
    let supervisors = people_of(txn, project.id, Part::Supervisor).await?;
    let kind = ("finding.rectified", rectified.id.0);
    tell(state, txn, &supervisors, kind, "整改已提交，请复查", project.title.clone(), project.id).await?;
    let (target, place) = (("finding", id.0), Some(project.place_id));
    let detail = json!({ "round": rectified.round });
    audit::record(state, txn, Some(actor.user_id), "finding.rectify", target, place, detail).await?;
    Ok(row)
}

/// The supervisor looked again: closed, or once more.
pub(crate) async fn check(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: FindingId,
    verdict: Verdict,
    remark: &str,
) -> Result<finding::Model, Problem> {
    let (project, before) = lock(txn, actor, id, |is| is.supervisor).await?;
    let now = state.clock.now();
    let row = step(txn, &before, FindingStep::Check(verdict), Some((actor.user_id, now))).await?;
    rectification::Entity::update_many()
        .col_expr(rectification::Column::Verdict, verdict.into())
        .col_expr(rectification::Column::Remark, remark.into())
        .col_expr(rectification::Column::CheckedBy, actor.user_id.into())
        .col_expr(rectification::Column::CheckedAt, now.into())
        .filter(rectification::Column::FindingId.eq(id))
        .filter(rectification::Column::Verdict.is_null())
        .exec(txn)
        .await?;
    let implementers = people_of(txn, project.id, Part::Implementer).await?;
    let title = if verdict == Verdict::Closed { "整改已通过复查" } else { "整改未通过，请再次整改" };
    let kind = ("finding.checked", ids::ordered(&state.clock));
    tell(state, txn, &implementers, kind, title, remark.to_owned(), project.id).await?;
    let (target, place) = (("finding", id.0), Some(project.place_id));
    let detail = json!({ "verdict": verdict });
    audit::record(state, txn, Some(actor.user_id), "finding.check", target, place, detail).await?;
    Ok(row)
}

/// How many findings one run of the schedule looks at in one project transaction.
const AT_ONCE: u64 = 200;

/// Reminds the implementer before a finding's day, and tells the programme's staff when it is over; each once. Running it twice
/// does nothing more: the marks are in the condition of the update.
pub(crate) async fn look_after(state: &AppState) -> Result<(), JobError> {
    let now = state.clock.now();
    // No community may be reminded earlier than the longest time that the rules allow.
    let horizon = now + TimeDelta::days(MOST_DAYS);
    let mut after: Option<FindingId> = None;
    loop {
        let mut open = finding::Entity::find()
            .filter(finding::Column::State.ne(FindingState::Closed))
            .filter(finding::Column::DueAt.lt(horizon))
            .filter(
                Condition::any()
                    .add(finding::Column::EscalatedAt.is_null().and(finding::Column::DueAt.lte(now)))
                    .add(finding::Column::RemindedAt.is_null().and(finding::Column::DueAt.gt(now))),
            );
        if let Some(after) = after {
            open = open.filter(finding::Column::Id.gt(after));
        }
        let rows =
            open.order_by_asc(finding::Column::Id).limit(AT_ONCE).all(state.db.read()).await.map_err(Problem::from)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        let mut by_project: HashMap<ProjectId, Vec<finding::Model>> = HashMap::new();
        for row in rows {
            by_project.entry(row.project_id).or_default().push(row);
        }
        for (project, rows) in by_project {
            transact(state, async |txn| of_project(state, txn, project, &rows).await).await?;
        }
    }
}

/// The longest that `rules.finding_reminder_days` may be.
const MOST_DAYS: i64 = 60;

async fn of_project(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: ProjectId,
    rows: &[finding::Model],
) -> Result<(), Problem> {
    let now = state.clock.now();
    let project = super::find(txn, id).await?;
    // What ended meanwhile is nobody's task any more.
    if project.state != ProjectState::Running {
        return Ok(());
    }
    let days = places::rules(state, txn, project.community_id).await?.finding_reminder_days;
    for row in rows {
        let told = (row.reminded_at.is_some(), row.escalated_at.is_some());
        let Some(due) = states::due(now, row.due_at, told, days) else { continue };
        let mark = match due {
            Due::Remind => finding::Column::RemindedAt,
            Due::Escalate => finding::Column::EscalatedAt,
        };
        let marked = finding::Entity::update_many()
            .col_expr(mark, Expr::value(now))
            .filter(finding::Column::Id.eq(row.id))
            .filter(finding::Column::State.ne(FindingState::Closed))
            .filter(mark.is_null())
            .exec(txn)
            .await?;
        if marked.rows_affected == 0 {
            continue;
        }
        let (people, kind, title) = match due {
            Due::Remind => (people_of(txn, id, Part::Implementer).await?, "finding.due", "整改即将到期"),
            Due::Escalate => (in_charge(state, txn, &project).await?, "finding.overdue", "督导问题逾期未整改"),
        };
        tell(state, txn, &people, (kind, row.id.0), title, project.title.clone(), id).await?;
    }
    Ok(())
}

/// Who runs a project's programme: its staff at the place, and whoever set it up.
pub(crate) async fn in_charge(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
) -> Result<Vec<UserId>, Problem> {
    let programme = match project.programme_id {
        Some(id) => programme::Entity::find_by_id(id).one(txn).await?,
        None => None,
    };
    let path = programme.as_ref().map_or(project.place_path.as_str(), |row| row.place_path.as_str());
    let mut people: Vec<UserId> = programme.iter().map(|row| row.created_by).collect();
    for role in [Role::CommunityStaff, Role::StreetStaff, Role::DistrictStaff] {
        let holders = identity::holders(txn, role, path, state.clock.now()).await?;
        people.extend(holders.into_iter().filter(|held| held.path == path).map(|held| held.user_id));
    }
    people.sort_unstable();
    people.dedup();
    Ok(people)
}
