use actix_web::{get, web};
use chrono::{DateTime, Utc};
use entities::ids::{NoticeId, PlaceId};
use entities::notices::notice;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::notices::service::{self, WindowState};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Page, Paging, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(read);
}

/// A public act. `hash` is SHA-256 over a JSON array without white space, so that anybody can recompute the chain. Version 1 is
/// `["linli.notice.v1", community_id, seq, kind, title, body, subject_kind, subject_id, published_at, prev_hash]`, version 2
/// `["linli.notice.v2", community_id, seq, kind, title, body, subject_kind, subject_id, published_at, objections_until,
/// corrects_id, commitment, prev_hash]`.
#[derive(Serialize, ToSchema)]
pub(super) struct NoticeView {
    id: NoticeId,
    /// Whose board: a community's, a street's or a district's.
    community_id: PlaceId,
    /// 1 for the board's first notice, then without a gap.
    seq: i64,
    /// What happened, as `capability.event`.
    kind: String,
    title: String,
    body: String,
    /// What it is about, with `subject_id`.
    subject_kind: Option<String>,
    subject_id: Option<Uuid>,
    published_at: DateTime<Utc>,
    /// People may object until then.
    objections_until: Option<DateTime<Utc>>,
    /// The notice that this one corrects.
    corrects_id: Option<NoticeId>,
    /// SHA-256 over `salt:document` of something that is not public.
    commitment: Option<String>,
    /// Of the encoding that `hash` covers: 1 without the three fields above, else 2.
    version: i32,
    /// The hash of the notice before it.
    prev_hash: String,
    hash: String,
}

impl From<notice::Model> for NoticeView {
    fn from(row: notice::Model) -> Self {
        Self {
            id: row.id,
            community_id: row.community_id,
            seq: row.seq,
            kind: row.kind,
            title: row.title,
            body: row.body,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            published_at: row.published_at,
            objections_until: row.objections_until,
            corrects_id: row.corrects_id,
            commitment: row.commitment,
            version: row.version,
            prev_hash: row.prev_hash,
            hash: row.hash,
        }
    }
}

/// The time in which people may object, and what they did.
#[derive(Serialize, ToSchema)]
pub(super) struct WindowView {
    objections_until: DateTime<Utc>,
    /// `open`: people may object; `contested`: the time is over and an objection waits for its reply; `upheld`: an objection was
    /// right; `clear`: the time is over and no objection stands.
    standing: &'static str,
    objections_open: u64,
    objections_upheld: u64,
    objections_dismissed: u64,
}

impl From<WindowState> for WindowView {
    fn from(window: WindowState) -> Self {
        Self {
            objections_until: window.until,
            standing: window.standing.word(),
            objections_open: window.open,
            objections_upheld: window.upheld,
            objections_dismissed: window.dismissed,
        }
    }
}

/// A notice with what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct NoticeDetail {
    #[serde(flatten)]
    notice: NoticeView,
    /// Absent for a notice that takes no objections.
    window: Option<WindowView>,
    /// What was said later to correct it, oldest first.
    corrections: Vec<NoticeView>,
}

/// `?place_id=&own=&cursor=&limit=`
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BoardParams {
    /// Its own board, those of the places that it lies in, and those of the places below it.
    place_id: PlaceId,
    /// Only the place's own board (a building's is its community's): one chain.
    #[serde(default)]
    own: bool,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 100; 20 without it.
    limit: Option<u64>,
}

/// What is on the boards that concern a place, newest first
#[utoipa::path(tag = "notices", params(BoardParams), responses((status = 200, body = Page<NoticeView>)))]
#[get("/notices")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<BoardParams>,
) -> Result<web::Json<Page<NoticeView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let board = notice::Column::CommunityId;
    let notices = if params.own {
        notice::Entity::find().filter(board.eq(place.community_id.unwrap_or(place.id)))
    } else {
        notice::Entity::find().filter(places::around(&place, board))
    };
    let rows = paging.apply(notices, notice::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, NoticeView::from)))
}

/// One notice, its corrections, and what people have against it
#[utoipa::path(tag = "notices", responses((status = 200, body = NoticeDetail)))]
#[get("/notices/{id}")]
async fn read(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<NoticeId>,
) -> Result<web::Json<NoticeDetail>, Problem> {
    detail(&state, *id).await.map(web::Json)
}

pub(super) async fn detail(state: &AppState, id: NoticeId) -> Result<NoticeDetail, Problem> {
    const CORRECTIONS: u64 = 100;
    let connection = state.db.read();
    let row = notice::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let window = match row.objections_until {
        Some(_) => service::window_state(state, connection, id).await?,
        None => None,
    };
    let corrections = notice::Entity::find()
        .filter(notice::Column::CorrectsId.eq(id))
        .order_by_asc(notice::Column::Id)
        .limit(CORRECTIONS)
        .all(connection)
        .await?;
    let corrections = corrections.into_iter().map(NoticeView::from).collect();
    Ok(NoticeDetail { notice: row.into(), window: window.map(WindowView::from), corrections })
}
