use actix_web::{get, web};
use chrono::{DateTime, Utc};
use entities::ids::{NoticeId, PlaceId};
use entities::notices::notice;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Page, Paging, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(read);
}

/// A public act. `hash` is SHA-256 over the JSON array `["linli.notice.v1", community_id, seq, kind, title, body, subject_kind,
/// subject_id, published_at, prev_hash]` without white space, so that anybody can recompute the chain.
#[derive(Serialize, ToSchema)]
struct NoticeView {
    id: NoticeId,
    community_id: PlaceId,
    /// 1 for the community's first notice, then without a gap.
    seq: i64,
    /// What happened, as `capability.event`.
    kind: String,
    title: String,
    body: String,
    /// What it is about, with `subject_id`.
    subject_kind: Option<String>,
    subject_id: Option<Uuid>,
    published_at: DateTime<Utc>,
    /// The hash of the notice before it.
    prev_hash: String,
    hash: String,
}

impl From<notice::Model> for NoticeView {
    fn from(row: notice::Model) -> Self {
        let notice::Model {
            id,
            community_id,
            seq,
            kind,
            title,
            body,
            subject_kind,
            subject_id,
            published_at,
            prev_hash,
            hash,
        } = row;
        Self { id, community_id, seq, kind, title, body, subject_kind, subject_id, published_at, prev_hash, hash }
    }
}

/// The board of a place, newest first
#[utoipa::path(tag = "notices", params(places::ListParams), responses((status = 200, body = Page<NoticeView>)))]
#[get("/notices")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<NoticeView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    // A district or a street has a board of its own, besides those of its communities.
    let on_board = Condition::any()
        .add(places::communities_of(&place, notice::Column::CommunityId))
        .add(notice::Column::CommunityId.eq(place.id));
    let rows = paging.apply(notice::Entity::find().filter(on_board), notice::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, NoticeView::from)))
}

/// One notice
#[utoipa::path(tag = "notices", responses((status = 200, body = NoticeView)))]
#[get("/notices/{id}")]
async fn read(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<NoticeId>,
) -> Result<web::Json<NoticeView>, Problem> {
    let row = notice::Entity::find_by_id(*id).one(state.db.read()).await?.ok_or(Code::NotFound)?;
    Ok(web::Json(row.into()))
}
