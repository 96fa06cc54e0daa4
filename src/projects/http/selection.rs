use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, PollId, ProgrammeId, ProjectId, SelectionId};
use entities::programmes::selection as proposal;
use entities::projects::selected;
use garde::Validate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::projects::{ProjectView, one};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Problem, command};
use crate::platform::state::AppState;
use crate::programmes;
use crate::projects::selection::{self, Ranking};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(draft_poll).service(propose).service(latest).service(confirm).service(select);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPoll {
    /// Whose residents are asked.
    #[garde(skip)]
    community_id: PlaceId,
}

/// The poll of a community about a programme's shortlist.
#[derive(Serialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "they are the names in the API")]
struct PollOfProgramme {
    programme_id: ProgrammeId,
    community_id: PlaceId,
    poll_id: PollId,
}

/// Draft a community's poll about the shortlist; it is opened like any other: `POST /polls/{id}/open`
///
/// One a programme and community: 409 `already_decided`. From then on nothing is added to that community's shortlist.
#[utoipa::path(tag = "programmes", request_body = NewPoll, responses((status = 201, body = PollOfProgramme)))]
#[post("/programmes/{id}/poll")]
async fn draft_poll(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    request: Command<NewPoll>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let poll = selection::draft_poll(&state, txn, &actor, *id, request.input.community_id).await?;
        Ok(PollOfProgramme { programme_id: *id, community_id: poll.community_id, poll_id: poll.id })
    })
    .await
}

/// What somebody proposed to select.
#[derive(Serialize, ToSchema)]
struct SelectionView {
    id: SelectionId,
    programme_id: ProgrammeId,
    /// 1 for a programme's first proposal; the latest counts.
    seq: i64,
    proposed_at: DateTime<Utc>,
    ranking: Ranking,
    /// What of it is confirmed, and has its money.
    confirmed: Vec<ProjectId>,
}

async fn view(connection: &impl ConnectionTrait, row: proposal::Model) -> Result<SelectionView, Problem> {
    let confirmed = selected::Entity::find().filter(selected::Column::SelectionId.eq(row.id)).all(connection).await?;
    Ok(SelectionView {
        ranking: selection::ranking_of(&row)?,
        id: row.id,
        programme_id: row.programme_id,
        seq: row.seq,
        proposed_at: row.proposed_at,
        confirmed: confirmed.into_iter().map(|row| row.project_id).collect(),
    })
}

/// Propose what the programme's rule selects of its shortlist, as far as its money goes; somebody else confirms
#[utoipa::path(tag = "programmes", responses((status = 201, body = SelectionView)))]
#[post("/programmes/{id}/selection")]
async fn propose(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = selection::propose(&state, txn, &actor, *id).await?;
        view(txn, row).await
    })
    .await
}

/// The latest proposal of a programme, with the ranking and what explains it
#[utoipa::path(tag = "programmes", responses((status = 200, body = SelectionView)))]
#[get("/programmes/{id}/selection")]
async fn latest(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
) -> Result<web::Json<SelectionView>, Problem> {
    let db = state.db.read();
    programmes::find(db, &actor, *id).await?;
    let row = selection::latest(db, *id).await?.ok_or(Code::NotFound)?;
    Ok(web::Json(view(db, row).await?))
}

/// Confirm the latest proposal, as a second person: each project gets its money, or nothing changes
///
/// 403 `own_act` for whoever proposed it; 409 `selection_stale` if it is not the latest or a project has moved on,
/// `insufficient_funds`, `already_decided`.
#[utoipa::path(tag = "programmes", responses((status = 200, body = SelectionView)))]
#[post("/programmes/{id}/selection/{selection_id}/confirm")]
async fn confirm(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(ProgrammeId, SelectionId)>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = selection::confirm(&state, txn, &actor, *path).await?;
        view(txn, row).await
    })
    .await
}

/// Confirm one project of the latest proposal, as a second person
#[utoipa::path(tag = "projects", responses((status = 200, body = ProjectView)))]
#[post("/projects/{id}/select")]
async fn select(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = selection::select(&state, txn, &actor, *id).await?;
        one(txn, &actor, row).await
    })
    .await
}
