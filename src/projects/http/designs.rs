use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{ProgrammeId, ProjectId};
use entities::projects::{design as frozen, draft};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::projects::{ProjectView, one};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Body, Caller, Command, Nothing, Outcome, Params, Problem, command, text, transact};
use crate::platform::state::AppState;
use crate::projects::domain::design::Design;
use crate::projects::domain::diff::{self, Change};
use crate::projects::{deciding, design, service};

/// Versions that one answer shows.
const MAX_VERSIONS: u64 = 100;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(draft_of).service(save).service(submit).service(return_for_changes).service(shortlist);
    config.service(decline).service(withdraw).service(cancel).service(versions).service(version).service(difference);
}

/// A design while it is written.
#[derive(Serialize, ToSchema)]
struct DraftView {
    design: Design,
    /// The sum of its lines.
    budget_fen: i64,
    /// Pointers to what is missing before it can be handed in.
    missing: Vec<String>,
    updated_at: DateTime<Utc>,
}

fn words(document: Value) -> Result<Design, Problem> {
    serde_json::from_value(document).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

fn draft_view(row: draft::Model) -> Result<DraftView, Problem> {
    let design = words(row.document)?;
    let missing = design.missing().into_iter().map(|mistake| mistake.pointer).collect();
    Ok(DraftView { budget_fen: design.budget_fen(), missing, design, updated_at: row.updated_at })
}

/// The draft of a project's design, for whoever designs it and for staff of its place
#[utoipa::path(tag = "projects", responses((status = 200, body = DraftView)))]
#[get("/projects/{id}/design")]
async fn draft_of(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
) -> Result<web::Json<DraftView>, Problem> {
    draft_view(design::draft_of(state.db.read(), &actor, *id).await?).map(web::Json)
}

/// Keep a draft of a project's design, in place of the one before; it may lack whatever is not known yet
#[utoipa::path(tag = "projects", request_body = Design, responses((status = 200, body = DraftView)))]
#[put("/projects/{id}/design")]
async fn save(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    body: Body<Design>,
) -> Result<web::Json<DraftView>, Problem> {
    let row = transact(&state, async |txn| design::save(&state, txn, &actor, *id, &body).await).await?;
    draft_view(row).map(web::Json)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Submission {
    /// Who is to pay for it; needed at first, and stays.
    #[garde(skip)]
    programme_id: Option<ProgrammeId>,
}

/// Hand a design in: its draft becomes a version that stays
///
/// 422 names what is missing below `/design`; 409 `above_cap`, `phase_over`, `programme_not_open`, `project_state`.
#[utoipa::path(tag = "projects", request_body = Submission, responses((status = 200, body = ProjectView)))]
#[post("/projects/{id}/submit")]
async fn submit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Submission>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = design::submit(&state, txn, &actor, *id, request.input.programme_id).await?;
        one(txn, &actor, row).await
    })
    .await
}

/// Why a step is taken.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// Chinese; whom it concerns reads it.
    #[garde(custom(text::paragraph(500)))]
    reason: String,
}

/// Return a design for changes, while the reviews last: the designer is told why
#[utoipa::path(tag = "projects", request_body = Why, responses((status = 200, body = ProjectView)))]
#[post("/projects/{id}/return")]
async fn return_for_changes(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Why>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = design::return_for_changes(&state, txn, &actor, *id, request.input.reason.trim()).await?;
        one(txn, &actor, row).await
    })
    .await
}

/// Put a project on the shortlist: a notice says so
///
/// 409 `reviews_missing` before enough experts have reviewed its version; 403 `own_act` for whoever created it.
#[utoipa::path(tag = "projects", responses((status = 200, body = ProjectView)))]
#[post("/projects/{id}/shortlist")]
async fn shortlist(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = deciding::shortlist(&state, txn, &actor, *id).await?;
        one(txn, &actor, row).await
    })
    .await
}

/// Decline a project, with a reason that is published; its needs are free again
#[utoipa::path(tag = "projects", request_body = Why, responses((status = 200, body = ProjectView)))]
#[post("/projects/{id}/decline")]
async fn decline(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Why>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = deciding::decline(&state, txn, &actor, *id, request.input.reason.trim()).await?;
        one(txn, &actor, row).await
    })
    .await
}

/// Take a project back; its needs are free again
#[utoipa::path(tag = "projects", responses((status = 200, body = ProjectView)))]
#[post("/projects/{id}/withdraw")]
async fn withdraw(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = deciding::withdraw(&state, txn, &actor, *id).await?;
        one(txn, &actor, row).await
    })
    .await
}

/// Call a selected project off before there is a contract, with a reason that is published: its money goes back to the programme
#[utoipa::path(tag = "projects", request_body = Why, responses((status = 200, body = ProjectView)))]
#[post("/projects/{id}/cancel")]
async fn cancel(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Why>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = deciding::cancel(&state, txn, &actor, *id, request.input.reason.trim()).await?;
        one(txn, &actor, row).await
    })
    .await
}

/// A design as it was handed in.
#[derive(Serialize, ToSchema)]
struct VersionView {
    /// 1 for the first.
    version: i64,
    programme_id: ProgrammeId,
    budget_fen: i64,
    /// How many people it is to reach.
    people: i64,
    submitted_at: DateTime<Utc>,
    design: Design,
}

fn version_view(row: frozen::Model) -> Result<VersionView, Problem> {
    Ok(VersionView {
        version: row.version,
        programme_id: row.programme_id,
        budget_fen: row.budget_fen,
        people: row.people,
        submitted_at: row.submitted_at,
        design: words(row.document)?,
    })
}

/// The versions of a project's design, the latest first
#[utoipa::path(tag = "projects", responses((status = 200, body = Vec<VersionView>)))]
#[get("/projects/{id}/designs")]
async fn versions(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ProjectId>,
) -> Result<web::Json<Vec<VersionView>>, Problem> {
    let db = state.db.read();
    service::find(db, *id).await?;
    let rows = frozen::Entity::find()
        .filter(frozen::Column::ProjectId.eq(*id))
        .order_by_desc(frozen::Column::Version)
        .limit(MAX_VERSIONS)
        .all(db)
        .await?;
    rows.into_iter().map(version_view).collect::<Result<_, _>>().map(web::Json)
}

/// One version of a project's design
#[utoipa::path(tag = "projects", responses((status = 200, body = VersionView)))]
#[get("/projects/{id}/designs/{version}")]
async fn version(
    state: web::Data<AppState>,
    _: Caller,
    path: web::Path<(ProjectId, i64)>,
) -> Result<web::Json<VersionView>, Problem> {
    let (id, version) = *path;
    version_view(design::version_of(state.db.read(), id, version).await?).map(web::Json)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct From {
    /// The version that it is compared with; the one before without it.
    from: Option<i64>,
}

/// How two versions differ.
#[derive(Serialize, ToSchema)]
struct Difference {
    from: i64,
    to: i64,
    /// In an order in which they can be carried out one by one.
    changes: Vec<Change>,
}

/// What a version of a design changed, field by field
#[utoipa::path(tag = "projects", params(From), responses((status = 200, body = Difference)))]
#[get("/projects/{id}/designs/{version}/diff")]
async fn difference(
    state: web::Data<AppState>,
    _: Caller,
    path: web::Path<(ProjectId, i64)>,
    params: Params<From>,
) -> Result<web::Json<Difference>, Problem> {
    let (id, to) = *path;
    let from = params.from.unwrap_or(to - 1);
    let after = design::version_of(state.db.read(), id, to).await?;
    let before = design::version_of(state.db.read(), id, from).await?;
    Ok(web::Json(Difference { from, to, changes: diff::diff(&before.document, &after.document) }))
}
