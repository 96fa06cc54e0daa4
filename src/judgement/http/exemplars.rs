use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ExemplarId, PlaceId, ProjectId};
use entities::judgement::exemplar;
use entities::projects::ProjectState;
use garde::Validate;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::delivery;
use crate::identity::Actor;
use crate::judgement::service::exemplars;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(publish).service(list).service(one).service(copy).service(lineage);
}

/// A finished project that others may copy.
#[derive(Serialize, ToSchema)]
struct ExemplarView {
    id: ExemplarId,
    project_id: ProjectId,
    title: String,
    /// `title`, `summary`, `budget_fen`, `design`, `groups`, `indicators`.
    template: Value,
    /// `words` as the notice says them, and `indicators`.
    figures: Value,
    published_at: DateTime<Utc>,
}

impl From<exemplar::Model> for ExemplarView {
    fn from(row: exemplar::Model) -> Self {
        let exemplar::Model { id, project_id, title, template, figures, published_at, .. } = row;
        Self { id, project_id, title, template, figures, published_at }
    }
}

/// Publish a finished project that was found excellent, for others to copy; for the programme's staff
#[utoipa::path(tag = "judgement", request_body = Nothing, responses((status = 201, body = ExemplarView)))]
#[post("/projects/{id}/exemplar")]
async fn publish(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        exemplars::publish(&state, txn, &actor, *id).await.map(ExemplarView::from)
    })
    .await
}

/// The exemplars of all places, newest first
#[utoipa::path(tag = "judgement", params(PageParams), responses((status = 200, body = Page<ExemplarView>)))]
#[get("/exemplars")]
async fn list(
    state: web::Data<AppState>,
    _: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ExemplarView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let rows = paging.apply(exemplar::Entity::find(), exemplar::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, ExemplarView::from)))
}

/// One exemplar
#[utoipa::path(tag = "judgement", responses((status = 200, body = ExemplarView)))]
#[get("/exemplars/{id}")]
async fn one(
    state: web::Data<AppState>,
    _: Actor,
    id: web::Path<ExemplarId>,
) -> Result<web::Json<ExemplarView>, Problem> {
    let row = exemplar::Entity::find_by_id(*id).one(state.db.read()).await?.ok_or(Code::NotFound)?;
    Ok(web::Json(row.into()))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Copy {
    /// A community or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    /// Else the exemplar's.
    #[garde(custom(text::optional_line(60)))]
    title: Option<String>,
}

/// A project that was made of an exemplar.
#[derive(Serialize, ToSchema)]
struct CopiedProject {
    id: ProjectId,
    title: String,
    state: ProjectState,
    copied_from: Option<ProjectId>,
}

/// Propose an exemplar's work for another place, with its design as a draft; for staff of that place
#[utoipa::path(tag = "judgement", request_body = Copy, responses((status = 201, body = CopiedProject)))]
#[post("/exemplars/{id}/copy")]
async fn copy(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ExemplarId>,
    request: Command<Copy>,
) -> Result<Outcome, Problem> {
    let Copy { place_id, title } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = exemplars::copy(&state, txn, &actor, *id, (*place_id, title.as_deref())).await?;
        let (from, _) = exemplars::lineage(txn, row.id).await?;
        Ok(CopiedProject {
            id: row.id,
            title: row.title,
            state: row.state,
            copied_from: from.map(|row| row.copied_from),
        })
    })
    .await
}

/// Where a project comes from, and what came of it.
#[derive(Serialize, ToSchema)]
struct Lineage {
    /// The project that it was copied from.
    copied_from: Option<ProjectId>,
    exemplar_id: Option<ExemplarId>,
    /// The projects that were copied from it, the last first; the last hundred.
    copies: Vec<ProjectId>,
}

/// What a project was copied from, and what was copied from it
#[utoipa::path(tag = "judgement", responses((status = 200, body = Lineage)))]
#[get("/projects/{id}/lineage")]
async fn lineage(
    state: web::Data<AppState>,
    _: Actor,
    id: web::Path<ProjectId>,
) -> Result<web::Json<Lineage>, Problem> {
    let read = state.db.read();
    delivery::find(read, *id).await?;
    let (from, copies) = exemplars::lineage(read, *id).await?;
    Ok(web::Json(Lineage {
        copied_from: from.as_ref().map(|row| row.copied_from),
        exemplar_id: from.map(|row| row.exemplar_id),
        copies: copies.into_iter().map(|row| row.project_id).collect(),
    }))
}
