//! What everybody may read without signing in, so that anybody can check a board: chains, signed days, the key.

use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::{HttpResponse, get, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::{NoticeId, PlaceId};
use entities::notices::{day, notice};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::board::{NoticeDetail, NoticeView, detail};
use super::page;
use crate::notices::domain::public_key_pem;
use crate::places;
use crate::platform::crypto::Purpose;
use crate::platform::http::{Page, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(key).service(days).service(chain).service(read_page).service(read);
}

/// Rows of one answer.
const MOST: u64 = 500;

/// The key with which days are signed.
#[derive(Serialize, ToSchema)]
struct KeyView {
    /// `Ed25519`
    algorithm: &'static str,
    /// 32 bytes in base64.
    public_key: String,
    /// The same as a file for openssl.
    pem: String,
    /// What is signed: five lines, each with its line feed.
    message: &'static str,
}

/// The public key of the boards' signed days
#[utoipa::path(tag = "notices", security(()), responses((status = 200, body = KeyView)))]
#[get("/public/notice-key")]
async fn key(state: web::Data<AppState>) -> web::Json<KeyView> {
    let key = state.keys.public_key(Purpose::NoticeHead);
    web::Json(KeyView {
        algorithm: "Ed25519",
        public_key: STANDARD.encode(key),
        pem: public_key_pem(&key),
        message: "linli.head.v1\n{place_id}\n{day}\n{seq}\n{hash}\n",
    })
}

/// Where a board stood when a day was over.
#[derive(Serialize, ToSchema)]
struct DayView {
    place_id: PlaceId,
    /// By China's calendar.
    #[schema(value_type = String, format = Date)]
    day: String,
    /// The number of the last notice, and its hash.
    seq: i64,
    hash: String,
    /// Ed25519 in base64, over the five lines that `/public/notice-key` names.
    signature: String,
    /// The key of that time, in base64.
    public_key: String,
    signed_at: DateTime<Utc>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DaysParams {
    /// Days before this one: `next_cursor` of the page before.
    cursor: Option<NaiveDate>,
    /// 1 to 500; 31 without it.
    limit: Option<u64>,
}

fn limited(limit: Option<u64>, default: u64) -> Result<u64, Problem> {
    let limit = limit.unwrap_or(default);
    if (1..=MOST).contains(&limit) { Ok(limit) } else { Err(Problem::field("?limit", format!("1 to {MOST}"))) }
}

/// The signed days of a board, newest first; without signing in
#[utoipa::path(tag = "notices", security(()), params(DaysParams), responses((status = 200, body = Page<DayView>)))]
#[get("/public/boards/{place_id}/days")]
async fn days(
    state: web::Data<AppState>,
    place_id: web::Path<PlaceId>,
    params: Params<DaysParams>,
) -> Result<web::Json<Page<DayView>>, Problem> {
    let limit = limited(params.limit, 31)?;
    let place = places::find(state.db.read(), *place_id).await?;
    let mut rows = day::Entity::find().filter(day::Column::PlaceId.eq(place.id));
    if let Some(before) = params.cursor {
        rows = rows.filter(day::Column::Day.lt(before.to_string()));
    }
    let rows = rows.order_by_desc(day::Column::Day).limit(limit).all(state.db.read()).await?;
    let full = u64::try_from(rows.len()).is_ok_and(|rows| rows == limit);
    let next_cursor = rows.last().filter(|_| full).map(|row| row.day.clone());
    let items = rows.into_iter().map(|row| DayView {
        place_id: row.place_id,
        day: row.day,
        seq: row.seq,
        hash: row.hash,
        signature: row.signature,
        public_key: row.public_key,
        signed_at: row.signed_at,
    });
    Ok(web::Json(Page { items: items.collect(), next_cursor }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChainParams {
    /// Notices after this number: `next_cursor` of the page before.
    cursor: Option<i64>,
    /// 1 to 500; 100 without it.
    limit: Option<u64>,
}

/// The notices of one board as they are chained, oldest first; without signing in
#[utoipa::path(tag = "notices", security(()), params(ChainParams), responses((status = 200, body = Page<NoticeView>)))]
#[get("/public/boards/{place_id}/notices")]
async fn chain(
    state: web::Data<AppState>,
    place_id: web::Path<PlaceId>,
    params: Params<ChainParams>,
) -> Result<web::Json<Page<NoticeView>>, Problem> {
    let limit = limited(params.limit, 100)?;
    let place = places::find(state.db.read(), *place_id).await?;
    let rows = notice::Entity::find()
        .filter(notice::Column::CommunityId.eq(place.id))
        .filter(notice::Column::Seq.gt(params.cursor.unwrap_or_default()))
        .order_by_asc(notice::Column::Seq)
        .limit(limit)
        .all(state.db.read())
        .await?;
    let full = u64::try_from(rows.len()).is_ok_and(|rows| rows == limit);
    let next_cursor = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    Ok(web::Json(Page { items: rows.into_iter().map(NoticeView::from).collect(), next_cursor }))
}

/// One notice as data; without signing in
#[utoipa::path(tag = "notices", security(()), responses((status = 200, body = NoticeDetail)))]
#[get("/public/notices/{id}")]
async fn read(state: web::Data<AppState>, id: web::Path<NoticeId>) -> Result<web::Json<NoticeDetail>, Problem> {
    detail(&state, *id).await.map(web::Json)
}

/// One notice as a page for a phone; the square code on its sheet leads here
#[utoipa::path(tag = "notices", security(()), responses((status = 200, content_type = "text/html", body = String)))]
#[get("/public/notices/{id}/page")]
async fn read_page(state: web::Data<AppState>, id: web::Path<NoticeId>) -> Result<HttpResponse, Problem> {
    let detail = detail(&state, *id).await?;
    let place = places::find(state.db.read(), detail.notice.community_id).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .body(page::html(&detail, &place.name)))
}
