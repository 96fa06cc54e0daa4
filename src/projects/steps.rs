//! Who somebody is to a project, and the one function that moves a project on.

use std::collections::HashMap;

use entities::ids::{OrganisationId, ProgrammeId, ProjectId};
use entities::programmes::programme;
use entities::projects::{Part, ProjectAction, party, project, project_move};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter, QuerySelect,
};
use serde_json::json;

use super::lifecycle::{self, Who};
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::{audit, organisations};

/// Locks a project for the rest of the transaction, or 404. It comes before its tender, contract and money.
pub async fn lock(txn: &DatabaseTransaction, id: ProjectId) -> Result<project::Model, Problem> {
    project::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

/// What somebody is to each of some projects: three queries, however many.
pub async fn roles(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    projects: &[project::Model],
) -> Result<HashMap<ProjectId, Vec<Who>>, Problem> {
    let own = organisations::of_person(connection, actor.user_id).await?;
    let parties = party::Entity::find()
        .filter(party::Column::ProjectId.is_in(projects.iter().map(|project| project.id)))
        .all(connection)
        .await?;
    let payers: Vec<ProgrammeId> = projects.iter().filter_map(|project| project.programme_id).collect();
    let payers: Vec<(ProgrammeId, String)> = if payers.is_empty() {
        Vec::new()
    } else {
        let query = programme::Entity::find()
            .select_only()
            .column(programme::Column::Id)
            .column(programme::Column::PlacePath)
            .filter(programme::Column::Id.is_in(payers));
        query.into_tuple().all(connection).await?
    };
    let roles = projects.iter().map(|project| {
        let parts = parties.iter().filter(|party| party.project_id == project.id);
        let mine: Vec<Part> =
            parts.filter(|party| own.contains(&party.organisation_id)).map(|party| party.part).collect();
        let designs = match project.designer_id {
            Some(designer) => own.contains(&designer),
            None => project.created_by == Some(actor.user_id),
        };
        let path = payers.iter().find(|(id, _)| Some(*id) == project.programme_id).map(|(_, path)| path);
        let path = path.unwrap_or(&project.place_path);
        // Nobody decides for the programme about what their own organisation does.
        let involved = !mine.is_empty() || project.designer_id.is_some_and(|designer| own.contains(&designer));
        let runs = !involved && actor.may(Permission::ManageProjects, path);
        let acts = |part, permission| mine.contains(&part) && actor.may(permission, &project.place_path);
        let all = [
            (Who::Designer, designs),
            (Who::Programme, runs),
            (Who::Implementer, acts(Part::Implementer, Permission::ActForOrganisation)),
            (Who::Supervisor, acts(Part::Supervisor, Permission::Supervise)),
            (Who::Evaluator, acts(Part::Evaluator, Permission::Evaluate)),
        ];
        (project.id, all.into_iter().filter_map(|(who, is)| is.then_some(who)).collect())
    });
    Ok(roles.collect())
}

/// 403 unless somebody is this to a project.
pub async fn require(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    project: &project::Model,
    who: Who,
) -> Result<(), Problem> {
    let roles = roles(connection, actor, std::slice::from_ref(project)).await?;
    if roles.values().flatten().any(|role| *role == who) { Ok(()) } else { Err(Code::Forbidden.into()) }
}

/// Moves a locked project by a line of the table: 403 for others than the line names, 409 `project_state` from another state,
/// 422 at `/reason` where one is needed. What else must hold, and what follows, is the caller's, in the same transaction.
pub async fn step(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    action: ProjectAction,
    reason: Option<&str>,
) -> Result<project::Model, Problem> {
    let line = lifecycle::line(action).ok_or(Code::Internal)?;
    require(txn, actor, project, line.who).await?;
    if !line.from.contains(&project.state) {
        return Err(Code::ProjectState.into());
    }
    let reason = reason.map(str::trim).filter(|words| !words.is_empty());
    if line.reason && reason.is_none() {
        return Err(Problem::field("/reason", "请说明理由 / say why"));
    }
    let now = state.clock.now();
    let moved = project::Entity::update_many()
        .col_expr(project::Column::State, line.to.into())
        .col_expr(project::Column::Moves, Expr::col(project::Column::Moves).add(1))
        .col_expr(project::Column::StateSince, now.into())
        .filter(project::Column::Id.eq(project.id))
        .filter(project::Column::State.eq(project.state))
        .filter(project::Column::Moves.eq(project.moves))
        .exec_with_returning(txn)
        .await?;
    let moved = moved.into_iter().next().ok_or(Code::ProjectState)?;
    let row = project_move::ActiveModel {
        project_id: Set(moved.id),
        seq: Set(moved.moves),
        action: Set(action),
        from_state: Set(project.state),
        to_state: Set(moved.state),
        actor_id: Set(Some(actor.user_id)),
        reason: Set(reason.map(str::to_owned)),
        at: Set(now),
    };
    row.insert(txn).await?;
    let detail = json!({ "action": action, "from": project.state, "to": moved.state });
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "project.step",
        ("project", moved.id.0),
        Some(moved.place_id),
        detail,
    )
    .await?;
    Ok(moved)
}

/// Who has a part in a project.
pub async fn party(
    connection: &impl ConnectionTrait,
    project: ProjectId,
    part: Part,
) -> Result<Option<OrganisationId>, Problem> {
    let row = party::Entity::find_by_id((project, part)).one(connection).await?;
    Ok(row.map(|row| row.organisation_id))
}

/// Gives an organisation a part in a project, in place of whoever had it. Nobody has two parts, nor do two parties share a
/// person: constraints and triggers say so, and the organisations are locked so that nobody joins one of them meanwhile.
pub async fn assign(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    part: Part,
    organisation: OrganisationId,
) -> Result<(), Problem> {
    let parties = party::Entity::find().filter(party::Column::ProjectId.eq(project.id)).all(txn).await?;
    if parties.iter().any(|party| party.part != part && party.organisation_id == organisation) {
        return Err(Code::PartiesNotApart.into());
    }
    let concerned = parties.iter().map(|party| party.organisation_id).chain([organisation]);
    organisations::lock(txn, concerned).await?;
    let row = party::ActiveModel {
        project_id: Set(project.id),
        part: Set(part),
        organisation_id: Set(organisation),
        assigned_by: Set(Some(actor.user_id)),
        assigned_at: Set(state.clock.now()),
    };
    let replaced = OnConflict::columns([party::Column::ProjectId, party::Column::Part])
        .update_columns([party::Column::OrganisationId, party::Column::AssignedBy, party::Column::AssignedAt])
        .to_owned();
    party::Entity::insert(row).on_conflict(replaced).exec_without_returning(txn).await?;
    if part == Part::Implementer {
        // The register of projects names who carries a project out.
        project::Entity::update_many()
            .col_expr(project::Column::OrganisationId, organisation.into())
            .filter(project::Column::Id.eq(project.id))
            .exec(txn)
            .await?;
    }
    let detail = json!({ "part": part, "organisation_id": organisation });
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "project.assign",
        ("project", project.id.0),
        Some(project.place_id),
        detail,
    )
    .await
}
