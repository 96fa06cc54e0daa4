use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use entities::cases::{CaseOrigin, CaseState, case_file, handler};
use entities::ids::{CaseId, CaseNoteId, PlaceId, ProjectId, UserId};
use entities::needs::NeedCategory;
use garde::Validate;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::domain;
use super::service::{self, CaseRead};
use crate::identity::{Actor, Permission};
use crate::platform::http::{
    Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;
use crate::{files, places};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(read).service(voice).service(note).service(close).service(reopen);
    config.service(supervise).service(add_handler).service(remove_handler).service(mine);
}

/// A case, without what it is about.
#[derive(Serialize, ToSchema)]
struct CaseView {
    id: CaseId,
    place_id: PlaceId,
    category: NeedCategory,
    origin: CaseOrigin,
    project_id: Option<ProjectId>,
    state: CaseState,
    opened_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
}

impl From<case_file::Model> for CaseView {
    fn from(row: case_file::Model) -> Self {
        let case_file::Model { id, place_id, category, origin, project_id, state, opened_at, closed_at, .. } = row;
        Self { id, place_id, category, origin, project_id, state, opened_at, closed_at }
    }
}

/// Who reported a case, in full; reading it was audited.
#[derive(Serialize, ToSchema)]
struct Reporter {
    real_name: String,
    phone: String,
    building_id: PlaceId,
}

/// Somebody who may read a case.
#[derive(Serialize, ToSchema)]
struct HandlerView {
    user_id: UserId,
    name: String,
    added_at: DateTime<Utc>,
}

/// What a handler wrote down.
#[derive(Serialize, ToSchema)]
struct NoteView {
    id: CaseNoteId,
    author: String,
    text: String,
    at: DateTime<Utc>,
}

/// A case as its handlers read it.
#[derive(Serialize, ToSchema)]
struct CaseDetail {
    #[serde(flatten)]
    case: CaseView,
    subject: String,
    summary: String,
    /// Whether they said it aloud: `GET /cases/{id}/voice` plays it.
    has_voice: bool,
    /// Absent if a project opened it or the reporter is no verified resident.
    reporter: Option<Reporter>,
    handlers: Vec<HandlerView>,
    /// The newest 200, newest first.
    notes: Vec<NoteView>,
}

impl From<CaseRead> for CaseDetail {
    fn from(case: CaseRead) -> Self {
        Self {
            has_voice: case.row.voice_file_id.is_some(),
            case: case.row.into(),
            subject: case.subject,
            summary: case.summary,
            reporter: case.reporter.map(|person| Reporter {
                real_name: person.real_name,
                phone: person.phone,
                building_id: person.residence.building_id,
            }),
            handlers: case
                .handlers
                .into_iter()
                .map(|(row, name)| HandlerView { user_id: row.user_id, name, added_at: row.added_at })
                .collect(),
            notes: case
                .notes
                .into_iter()
                .map(|(row, text, author)| NoteView { id: row.id, author, text, at: row.at })
                .collect(),
        }
    }
}

/// The cases that one handles
#[utoipa::path(tag = "cases", params(PageParams), responses((status = 200, body = Page<CaseView>)))]
#[get("/cases")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<CaseView>>, Problem> {
    let paths = actor.require_somewhere(Permission::SocialWork)?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let handled = Query::select()
        .column(handler::Column::CaseId)
        .from(handler::Entity)
        .and_where(handler::Column::UserId.eq(actor.user_id))
        .and_where(handler::Column::RemovedAt.is_null())
        .to_owned();
    let cases = case_file::Entity::find()
        .filter(case_file::Column::Id.in_subquery(handled))
        .filter(places::within_any(case_file::Column::PlacePath, paths));
    let rows = paging.apply(cases, case_file::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, CaseView::from)))
}

/// One case, for its handlers; each reading is in the audit log
#[utoipa::path(tag = "cases", responses((status = 200, body = CaseDetail)))]
#[get("/cases/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CaseId>,
) -> Result<web::Json<CaseDetail>, Problem> {
    let read = transact(&state, async |txn| service::read(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(read.into()))
}

/// What was said in a case, for its handlers; each listening is in the audit log
#[utoipa::path(
    tag = "cases",
    responses((status = 200, description = "The sound", content(([u8] = "audio/mpeg"), ([u8] = "audio/aac"))))
)]
#[get("/cases/{id}/voice")]
async fn voice(state: web::Data<AppState>, actor: Actor, id: web::Path<CaseId>) -> Result<HttpResponse, Problem> {
    let file = transact(&state, async |txn| service::voice(&state, txn, &actor, *id).await).await?;
    let (content_type, sound) = files::confidential_voice(&state, file).await?;
    let mut response = HttpResponse::Ok();
    response.content_type(content_type).insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.insert_header(("x-content-type-options", "nosniff")).body(sound))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNote {
    #[garde(custom(text::paragraph(5000)))]
    text: String,
}

/// A note that was written down.
#[derive(Serialize, ToSchema)]
struct NoteTaken {
    id: CaseNoteId,
}

/// Write something down in a case; notes are only ever added
#[utoipa::path(tag = "cases", request_body = NewNote, responses((status = 201, body = NoteTaken)))]
#[post("/cases/{id}/notes")]
async fn note(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CaseId>,
    request: Command<NewNote>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let id = service::add_note(&state, txn, &actor, *id, request.input.text.trim()).await?;
        Ok(NoteTaken { id })
    })
    .await
}

/// Where a case stands.
#[derive(Serialize, ToSchema)]
struct CaseStands {
    id: CaseId,
    state: CaseState,
}

/// Close a case
#[utoipa::path(tag = "cases", request_body = Nothing, responses((status = 200, body = CaseStands)))]
#[post("/cases/{id}/close")]
async fn close(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CaseId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let state = service::settle(&state, txn, &actor, *id, CaseState::Closed).await?;
        Ok(CaseStands { id: *id, state })
    })
    .await
}

/// Open a closed case again
#[utoipa::path(tag = "cases", request_body = Nothing, responses((status = 200, body = CaseStands)))]
#[post("/cases/{id}/reopen")]
async fn reopen(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CaseId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let state = service::settle(&state, txn, &actor, *id, CaseState::Open).await?;
        Ok(CaseStands { id: *id, state })
    })
    .await
}

/// A case as its supervisor sees it: that it is there, and who handles it.
#[derive(Serialize, ToSchema)]
struct SupervisedView {
    id: CaseId,
    place_id: PlaceId,
    state: CaseState,
    opened_at: DateTime<Utc>,
    handler_ids: Vec<UserId>,
}

/// Who handles which case, for the district's supervisor of cases
#[utoipa::path(tag = "cases", params(PageParams), responses((status = 200, body = Page<SupervisedView>)))]
#[get("/case-assignments")]
async fn supervise(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<SupervisedView>>, Problem> {
    let paths = actor.require_somewhere(Permission::SuperviseCases)?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let cases = case_file::Entity::find().filter(places::within_any(case_file::Column::PlacePath, paths));
    let rows = paging.apply(cases, case_file::Column::Id).all(state.db.read()).await?;
    let handlers = handler::Entity::find()
        .filter(handler::Column::CaseId.is_in(rows.iter().map(|row| row.id)))
        .filter(handler::Column::RemovedAt.is_null())
        .all(state.db.read())
        .await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| SupervisedView {
            handler_ids: handlers.iter().filter(|one| one.case_id == row.id).map(|one| one.user_id).collect(),
            id: row.id,
            place_id: row.place_id,
            state: row.state,
            opened_at: row.opened_at,
        },
    )))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHandler {
    /// A social worker of the case's place; not oneself.
    #[garde(skip)]
    user_id: UserId,
}

/// Somebody's part in a case.
#[derive(Serialize, ToSchema)]
struct Assigned {
    id: CaseId,
    user_id: UserId,
    handles: bool,
}

/// Let a social worker into a case, as its supervisor
#[utoipa::path(tag = "cases", request_body = NewHandler, responses((status = 201, body = Assigned)))]
#[post("/cases/{id}/handlers")]
async fn add_handler(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CaseId>,
    request: Command<NewHandler>,
) -> Result<Outcome, Problem> {
    let user_id = request.input.user_id;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::add_handler(&state, txn, &actor, *id, user_id).await?;
        Ok(Assigned { id: *id, user_id, handles: true })
    })
    .await
}

/// End somebody's part in a case, as its supervisor; one handler stays
#[utoipa::path(tag = "cases", responses((status = 200, body = Assigned)))]
#[delete("/cases/{id}/handlers/{user_id}")]
async fn remove_handler(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(CaseId, UserId)>,
) -> Result<web::Json<Assigned>, Problem> {
    let (id, user_id) = *path;
    transact(&state, async |txn| service::remove_handler(&state, txn, &actor, id, user_id).await).await?;
    Ok(web::Json(Assigned { id, user_id, handles: false }))
}

/// What whoever reported something in confidence sees of it.
#[derive(Serialize, ToSchema)]
struct ReceiptView {
    id: CaseId,
    state: CaseState,
    /// Chinese, for the reporter.
    message: &'static str,
    received_at: DateTime<Utc>,
}

/// What one reported in confidence: that it was received, and whether it is open
#[utoipa::path(tag = "cases", params(PageParams), responses((status = 200, body = Page<ReceiptView>)))]
#[get("/me/cases")]
async fn mine(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ReceiptView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let own = case_file::Entity::find()
        .filter(case_file::Column::OpenedBy.eq(actor.user_id))
        .filter(case_file::Column::Origin.eq(CaseOrigin::Need));
    let rows = paging.apply(own, case_file::Column::Id).all(state.db.read()).await?;
    let receipt = |row: case_file::Model| ReceiptView {
        id: row.id,
        state: row.state,
        message: domain::said(row.state),
        received_at: row.opened_at,
    };
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, receipt)))
}
