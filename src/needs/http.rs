use actix_web::http::StatusCode;
use actix_web::{delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{FileId, NeedId, PlaceId, ProjectId};
use entities::needs::{NeedCategory, NeedState, need, need_file};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::domain;
use super::service::{self, NewNeed, Supported};
use crate::cases;
use crate::files::{self, Audience, Links};
use crate::identity::{Actor, masked_name};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(submit).service(list).service(read).service(support).service(step_out);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNeedInput {
    /// A community, or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(skip)]
    category: NeedCategory,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(custom(text::paragraph(2000)))]
    body: String,
    /// One's own uploads, each used once.
    #[garde(length(max = 9))]
    #[serde(default)]
    file_ids: Vec<FileId>,
    /// Others do not learn who wrote it.
    #[garde(skip)]
    #[serde(default)]
    anonymous: bool,
    /// Only for the social workers in charge: it opens a case file and becomes no need. Without pictures, which WeChat would
    /// look at.
    #[garde(skip)]
    #[serde(default)]
    confidential: bool,
}

/// What became of what was submitted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SubmittedState {
    /// A need that waits for content security.
    InReview,
    /// A case file; a social worker will call.
    Received,
}

/// A need that was taken, or a case.
#[derive(Serialize, ToSchema)]
struct Submitted {
    /// A need's id; that of a case is good for `GET /me/cases` only.
    id: Uuid,
    state: SubmittedState,
    /// Chinese, for whoever reported in confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

/// A need.
#[derive(Serialize, ToSchema)]
struct NeedView {
    id: NeedId,
    place_id: PlaceId,
    community_id: PlaceId,
    category: NeedCategory,
    title: String,
    body: String,
    state: NeedState,
    /// Moderators hid it; only its author and they see it.
    hidden: bool,
    anonymous: bool,
    /// Masked; absent for an anonymous need.
    author: Option<String>,
    /// Whether the caller wrote it.
    mine: bool,
    support_count: i64,
    supported_by_me: bool,
    files: Vec<Links>,
    created_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    /// The project that takes it up.
    project_id: Option<ProjectId>,
}

/// Makes views of rows that the caller may see: three queries, however many rows.
async fn views(state: &AppState, actor: &Actor, rows: Vec<need::Model>) -> Result<Vec<NeedView>, Problem> {
    let connection = state.db.read();
    let ids: Vec<NeedId> = rows.iter().map(|row| row.id).collect();
    let supported = service::supported_by(connection, actor.user_id, &ids).await?;
    let pictures = need_file::Entity::find()
        .filter(need_file::Column::NeedId.is_in(ids.iter().copied()))
        .order_by_asc(need_file::Column::Position)
        .all(connection)
        .await?;
    let named = rows.iter().filter(|row| !row.anonymous).map(|row| row.author_id);
    let authors = user::Entity::find().filter(user::Column::Id.is_in(named)).all(connection).await?;
    let views = rows.into_iter().map(|row| {
        let author = authors.iter().find(|person| !row.anonymous && person.id == row.author_id);
        let audience = if domain::is_public(row.state, row.hidden) { Audience::Public } else { Audience::Insider };
        let pictures = pictures.iter().filter(|picture| picture.need_id == row.id);
        NeedView {
            author: author.map(|person| masked_name(&person.nickname)),
            mine: row.author_id == actor.user_id,
            supported_by_me: supported.contains(&row.id),
            files: pictures.map(|picture| files::link(state, picture.file_id, audience)).collect(),
            id: row.id,
            place_id: row.place_id,
            community_id: row.community_id,
            category: row.category,
            title: row.title,
            body: row.body,
            state: row.state,
            hidden: row.hidden,
            anonymous: row.anonymous,
            support_count: row.support_count,
            created_at: row.created_at,
            published_at: row.published_at,
            project_id: row.project_id,
        }
    });
    Ok(views.collect())
}

/// Say what the neighbourhood needs
///
/// Others see it once content security has passed or a moderator has approved it.
#[utoipa::path(tag = "needs", request_body = NewNeedInput, responses((status = 201, body = Submitted)))]
#[post("/needs")]
async fn submit(state: web::Data<AppState>, actor: Actor, request: Command<NewNeedInput>) -> Result<Outcome, Problem> {
    let NewNeedInput { place_id, category, title, body, file_ids, anonymous, confidential } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let input = NewNeed {
            place_id: *place_id,
            category: *category,
            title: title.trim(),
            body: body.trim(),
            file_ids,
            anonymous: *anonymous,
        };
        if *confidential {
            let id = service::confide(&state, txn, &actor, &input).await?.0;
            return Ok(Submitted { id, state: SubmittedState::Received, message: Some(cases::RECEIVED) });
        }
        let row = service::submit(&state, txn, &actor, input).await?;
        Ok(Submitted { id: row.id.0, state: SubmittedState::InReview, message: None })
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Needs at and below this place.
    place_id: Option<PlaceId>,
    state: Option<NeedState>,
    category: Option<NeedCategory>,
    /// One's own, in every state.
    #[serde(default)]
    mine: bool,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Needs that everybody may see, or all of one's own
#[utoipa::path(tag = "needs", params(ListParams), responses((status = 200, body = Page<NeedView>)))]
#[get("/needs")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ListParams>,
) -> Result<web::Json<Page<NeedView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mut needs = need::Entity::find();
    needs = if params.mine {
        needs.filter(need::Column::AuthorId.eq(actor.user_id))
    } else {
        needs.filter(need::Column::Hidden.eq(false)).filter(need::Column::State.is_in(domain::PUBLIC))
    };
    if let Some(id) = params.place_id {
        let place = places::named(state.db.read(), id, "?place_id").await?;
        needs = needs.filter(places::listed_in(&place, need::Column::CommunityId, need::Column::PlacePath));
    }
    if let Some(wanted) = params.state {
        needs = needs.filter(need::Column::State.eq(wanted));
    }
    if let Some(category) = params.category {
        needs = needs.filter(need::Column::Category.eq(category));
    }
    let rows = paging.apply(needs, need::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, &actor, items).await?, next_cursor }))
}

/// One need; in review or hidden it is shown to its author and to moderators only
#[utoipa::path(tag = "needs", responses((status = 200, body = NeedView)))]
#[get("/needs/{id}")]
async fn read(state: web::Data<AppState>, actor: Actor, id: web::Path<NeedId>) -> Result<web::Json<NeedView>, Problem> {
    let row = service::find(state.db.read(), &actor, *id).await?;
    let view = views(&state, &actor, vec![row]).await?.pop();
    view.map(web::Json).ok_or_else(|| Code::Internal.into())
}

/// Who supports a need, counted.
#[derive(Serialize, ToSchema)]
struct SupportView {
    id: NeedId,
    support_count: i64,
    supported_by_me: bool,
}

impl SupportView {
    fn new(id: NeedId, supported: &Supported) -> Self {
        Self { id, support_count: supported.count, supported_by_me: supported.by_me }
    }
}

/// Support a neighbour's need; a second time changes nothing
#[utoipa::path(tag = "needs", responses((status = 200, body = SupportView)))]
#[put("/needs/{id}/support")]
async fn support(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
) -> Result<web::Json<SupportView>, Problem> {
    let supported = transact(&state, async |txn| {
        let row = service::find(txn, &actor, *id).await?;
        service::support(&state, txn, &actor, &row).await
    })
    .await?;
    Ok(web::Json(SupportView::new(*id, &supported)))
}

/// Take one's support back; a second time changes nothing
#[utoipa::path(tag = "needs", responses((status = 200, body = SupportView)))]
#[delete("/needs/{id}/support")]
async fn step_out(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
) -> Result<web::Json<SupportView>, Problem> {
    let supported = transact(&state, async |txn| {
        let row = service::find(txn, &actor, *id).await?;
        service::step_out(txn, &actor, &row).await
    })
    .await?;
    Ok(web::Json(SupportView::new(*id, &supported)))
}
