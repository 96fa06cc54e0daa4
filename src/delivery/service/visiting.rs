//! Supervision visits, by people of the supervising organisation, and the findings that come of them.

use chrono::{DateTime, NaiveDate, Utc};
use entities::delivery::{FileOwner, FindingState, Severity, finding, visit};
use entities::ids::{FileId, ProjectId};
use entities::projects::Part;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::json;

use super::{attach, lock_running, past_day, people_of, tell};
use crate::identity::Actor;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{audit, projects};

/// Something that a visit found.
pub(crate) struct NewFinding<'a> {
    pub severity: Severity,
    pub body: &'a str,
    pub due_on: NaiveDate,
}

/// Records a visit with what it found; the implementer is told of every finding.
pub(crate) async fn visit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ProjectId,
    (visited_on, seen): (NaiveDate, &str),
    file_ids: &[FileId],
    found: &[NewFinding<'_>],
) -> Result<visit::Model, Problem> {
    let project = lock_running(txn, actor, id, |is| is.supervisor).await?;
    let now = state.clock.now();
    let visited_on = past_day(state, visited_on, "/visited_on")?;
    let supervisor = projects::party(txn, id, Part::Supervisor).await?.ok_or(Code::NoSupervisor)?;
    let row = visit::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        project_id: Set(id),
        organisation_id: Set(supervisor),
        visited_on: Set(visited_on),
        seen: Set(seen.to_owned()),
        visited_by: Set(actor.user_id),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    attach(txn, actor, &project, (FileOwner::Visit, row.id.0), file_ids).await?;
    let mut findings = Vec::with_capacity(found.len());
    for (at, new) in found.iter().enumerate() {
        // Until the end of that day.
        let due_at: DateTime<Utc> = calendar::day_end(new.due_on);
        if due_at <= now {
            return Err(Problem::field(&format!("/findings/{at}/due_on"), "期限不能早于今天 / not a day that is over"));
        }
        findings.push(finding::ActiveModel {
            id: Set(ids::ordered(&state.clock)),
            visit_id: Set(row.id),
            project_id: Set(id),
            severity: Set(new.severity),
            body: Set(new.body.to_owned()),
            due_at: Set(due_at),
            state: Set(FindingState::Open),
            found_by: Set(actor.user_id),
            created_at: Set(now),
            reminded_at: Set(None),
            escalated_at: Set(None),
            closed_by: Set(None),
            closed_at: Set(None),
        });
    }
    if !findings.is_empty() {
        let count = findings.len();
        finding::Entity::insert_many(findings).exec_without_returning(txn).await?;
        let implementers = people_of(txn, id, Part::Implementer).await?;
        let body = format!("“{}”：督导发现 {count} 项问题，请按期整改", project.title);
        tell(state, txn, &implementers, ("finding.new", row.id.0), "督导发现问题", body, id).await?;
    }
    let detail = json!({ "visit_id": row.id, "findings": found.len() });
    let place = Some(project.place_id);
    audit::record(state, txn, Some(actor.user_id), "project.visit", ("project", id.0), place, detail).await?;
    Ok(row)
}
