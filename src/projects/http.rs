use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{NeedId, OrganisationId, PlaceId, ProjectId};
use entities::organisations::organisation;
use entities::projects::{ProjectState, project};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::service;
use crate::identity::Actor;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Command, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

/// 100 million yuan: more is a slip of the pen.
const MAX_BUDGET_FEN: i64 = 10_000_000_000;
/// A project takes up at most so many needs at once.
const MAX_NEEDS: usize = 50;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(create).service(read);
}

/// Work for a place.
#[derive(Serialize, ToSchema)]
struct ProjectView {
    id: ProjectId,
    place_id: PlaceId,
    community_id: PlaceId,
    title: String,
    summary: String,
    budget_fen: i64,
    state: ProjectState,
    /// Who carries it out, once somebody does.
    organisation_id: Option<OrganisationId>,
    organisation: Option<String>,
    /// What was counted of its work: numbers by name.
    figures: Value,
    created_at: DateTime<Utc>,
}

fn view(row: project::Model, organisations: &[organisation::Model]) -> ProjectView {
    let organisation = organisations.iter().find(|organisation| Some(organisation.id) == row.organisation_id);
    ProjectView {
        id: row.id,
        place_id: row.place_id,
        community_id: row.community_id,
        title: row.title,
        summary: row.summary,
        budget_fen: row.budget_fen,
        state: row.state,
        organisation_id: row.organisation_id,
        organisation: organisation.map(|organisation| organisation.name.clone()),
        figures: row.figures,
        created_at: row.created_at,
    }
}

async fn organisations_of(state: &AppState, rows: &[project::Model]) -> Result<Vec<organisation::Model>, Problem> {
    let ids: Vec<_> = rows.iter().filter_map(|row| row.organisation_id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let behind = organisation::Entity::find().filter(organisation::Column::Id.is_in(ids));
    Ok(behind.all(state.db.read()).await?)
}

/// The projects of a place and of those below it
#[utoipa::path(tag = "projects", params(places::ListParams), responses((status = 200, body = Page<ProjectView>)))]
#[get("/projects")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<ProjectView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let here = project::Entity::find().filter(places::listed_in(
        &place,
        project::Column::CommunityId,
        project::Column::PlacePath,
    ));
    let rows = paging.apply(here, project::Column::Id).all(state.db.read()).await?;
    let organisations = organisations_of(&state, &rows).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, |row| view(row, &organisations))))
}

/// One project
#[utoipa::path(tag = "projects", responses((status = 200, body = ProjectView)))]
#[get("/projects/{id}")]
async fn read(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ProjectId>,
) -> Result<web::Json<ProjectView>, Problem> {
    let row = project::Entity::find_by_id(*id).one(state.db.read()).await?.ok_or(Code::NotFound)?;
    let organisations = organisations_of(&state, std::slice::from_ref(&row)).await?;
    Ok(web::Json(view(row, &organisations)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProject {
    /// A community or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(custom(text::paragraph(2000)))]
    summary: String,
    /// In fen, at most 100 million yuan.
    #[garde(range(min = 0, max = MAX_BUDGET_FEN))]
    budget_fen: i64,
    /// Published needs of the community that it takes up.
    #[serde(default)]
    #[garde(length(max = MAX_NEEDS))]
    need_ids: Vec<NeedId>,
}

/// Propose a project, for needs that it takes up: their authors are told, and rewarded by the rule `need_adopted`
#[utoipa::path(tag = "projects", request_body = NewProject, responses((status = 201, body = ProjectView)))]
#[post("/projects")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewProject>) -> Result<Outcome, Problem> {
    let NewProject { place_id, title, summary, budget_fen, need_ids } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = service::create(&state, txn, &actor, *place_id, (title, summary), *budget_fen, need_ids).await?;
        Ok(view(row, &[]))
    })
    .await
}
