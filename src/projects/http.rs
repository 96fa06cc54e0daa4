use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{NeedId, OrganisationId, PlaceId, ProgrammeId, ProjectId};
use entities::organisations::organisation;
use entities::projects::{Part, ProjectAction, ProjectState, party, project, project_move};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::lifecycle::{self, STEPS, Step, Who};
use super::{service, steps};
use crate::identity::Actor;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Body, Caller, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

/// 100 million yuan: more is a slip of the pen.
const MAX_BUDGET_FEN: i64 = 10_000_000_000;
/// Steps that one answer shows.
const MAX_MOVES: u64 = 100;
/// A project takes up at most so many needs at once.
const MAX_NEEDS: usize = 50;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(create).service(read).service(table).service(moves).service(parties).service(assign);
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
    /// Who pays for it.
    programme_id: Option<ProgrammeId>,
    /// Who designs it, if it is an organisation.
    designer_id: Option<OrganisationId>,
    /// How many versions of its design were handed in.
    version: i64,
    /// Since when it stands where it stands.
    state_since: DateTime<Utc>,
    /// What the caller may do next, by the table at `GET /project-lifecycle`.
    allowed_actions: Vec<ProjectAction>,
}

fn view(row: project::Model, organisations: &[organisation::Model], roles: &[Who]) -> ProjectView {
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
        programme_id: row.programme_id,
        designer_id: row.designer_id,
        version: row.version,
        state_since: row.state_since,
        allowed_actions: lifecycle::allowed(row.state, roles).map(|step| step.action).collect(),
    }
}

/// Makes views of rows: four queries, however many.
async fn views(state: &AppState, actor: &Actor, rows: Vec<project::Model>) -> Result<Vec<ProjectView>, Problem> {
    let organisations = organisations_of(state, &rows).await?;
    let mut roles = steps::roles(state.db.read(), actor, &rows).await?;
    let view = |row: project::Model| {
        let mine = roles.remove(&row.id).unwrap_or_default();
        view(row, &organisations, &mine)
    };
    Ok(rows.into_iter().map(view).collect())
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
    actor: Actor,
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
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, &actor, items).await?, next_cursor }))
}

/// One project
#[utoipa::path(tag = "projects", responses((status = 200, body = ProjectView)))]
#[get("/projects/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
) -> Result<web::Json<ProjectView>, Problem> {
    let row = service::find(state.db.read(), *id).await?;
    let view = views(&state, &actor, vec![row]).await?.pop();
    view.map(web::Json).ok_or_else(|| Code::Internal.into())
}

/// A line of the table.
#[derive(Serialize, ToSchema)]
struct StepView {
    action: ProjectAction,
    from: Vec<ProjectState>,
    to: ProjectState,
    who: Who,
    /// Whether it must be said why.
    reason: bool,
    /// What must hold, besides: Chinese / English.
    needs: &'static str,
    /// What it brings about.
    does: &'static str,
}

impl From<&Step> for StepView {
    fn from(step: &Step) -> Self {
        let Step { action, from, to, who, reason, needs, does } = *step;
        Self { action, from: from.to_vec(), to, who, reason, needs, does }
    }
}

/// Who may move a project from where to where
#[utoipa::path(tag = "projects", responses((status = 200, body = Vec<StepView>)))]
#[get("/project-lifecycle")]
async fn table(_: Caller) -> web::Json<Vec<StepView>> {
    web::Json(STEPS.iter().map(StepView::from).collect())
}

/// A step that a project took.
#[derive(Serialize, ToSchema)]
struct MoveView {
    /// 1 for its first.
    seq: i64,
    action: ProjectAction,
    from: ProjectState,
    to: ProjectState,
    reason: Option<String>,
    at: DateTime<Utc>,
}

/// A project's way so far, from its first step
#[utoipa::path(tag = "projects", responses((status = 200, body = Vec<MoveView>)))]
#[get("/projects/{id}/moves")]
async fn moves(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ProjectId>,
) -> Result<web::Json<Vec<MoveView>>, Problem> {
    service::find(state.db.read(), *id).await?;
    // A project goes round in circles as long as people let it; a hundred steps tell enough.
    let rows = project_move::Entity::find()
        .filter(project_move::Column::ProjectId.eq(*id))
        .order_by_asc(project_move::Column::Seq)
        .limit(MAX_MOVES)
        .all(state.db.read())
        .await?;
    let view = |row: project_move::Model| MoveView {
        seq: row.seq,
        action: row.action,
        from: row.from_state,
        to: row.to_state,
        reason: row.reason,
        at: row.at,
    };
    Ok(web::Json(rows.into_iter().map(view).collect()))
}

/// An organisation with a part in a project.
#[derive(Serialize, ToSchema)]
struct PartyView {
    part: Part,
    organisation_id: OrganisationId,
    organisation: String,
    assigned_at: DateTime<Utc>,
}

/// Who carries a project out, supervises and evaluates it
#[utoipa::path(tag = "projects", responses((status = 200, body = Vec<PartyView>)))]
#[get("/projects/{id}/parties")]
async fn parties(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ProjectId>,
) -> Result<web::Json<Vec<PartyView>>, Problem> {
    service::find(state.db.read(), *id).await?;
    party_views(&state, *id).await.map(web::Json)
}

async fn party_views(state: &AppState, id: ProjectId) -> Result<Vec<PartyView>, Problem> {
    let rows = party::Entity::find().filter(party::Column::ProjectId.eq(id)).all(state.db.read()).await?;
    let organisations = organisation::Entity::find()
        .filter(organisation::Column::Id.is_in(rows.iter().map(|row| row.organisation_id)))
        .all(state.db.read())
        .await?;
    let name = |id| organisations.iter().find(|known| known.id == id).map(|known| known.name.clone());
    let view = |row: party::Model| PartyView {
        organisation: name(row.organisation_id).unwrap_or_default(),
        part: row.part,
        organisation_id: row.organisation_id,
        assigned_at: row.assigned_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Assignment {
    #[garde(skip)]
    organisation_id: OrganisationId,
}

/// Assign the supervisor or the evaluator of a project: an organisation that has no other part in it, and shares nobody with those
///
/// For whoever runs its programme. Who carries it out is decided by its tender.
#[utoipa::path(tag = "projects", request_body = Assignment, responses((status = 200, body = Vec<PartyView>)))]
#[put("/projects/{id}/parties/{part}")]
async fn assign(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(ProjectId, Part)>,
    input: Body<Assignment>,
) -> Result<web::Json<Vec<PartyView>>, Problem> {
    let (id, part) = *path;
    transact(&state, async |txn| service::assign(&state, txn, &actor, id, part, input.0.organisation_id).await).await?;
    party_views(&state, id).await.map(web::Json)
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
        let roles = steps::roles(txn, &actor, std::slice::from_ref(&row)).await?;
        Ok(view(row, &[], roles.values().next().map_or(&[], Vec::as_slice)))
    })
    .await
}
