use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use entities::figures::summary;
use entities::ids::{NoticeId, PlaceId, SummaryId};
use sea_orm::{EntityTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::figures::domain::Figures;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Page, Paging, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    // The file first: an id would match its name too.
    config.service(list).service(download).service(read);
}

/// What a community published about a month; it never changes.
#[derive(Serialize, ToSchema)]
struct SummaryView {
    id: SummaryId,
    community_id: PlaceId,
    community_name: String,
    /// `2026-11`, by China's calendar.
    month: String,
    figures: Figures,
    /// Figures that fewer people make up are absent.
    minimum_cell: i64,
    /// SHA-256 of the CSV file; its notice says it too.
    hash: String,
    notice_id: NoticeId,
    made_at: DateTime<Utc>,
}

impl SummaryView {
    fn new(row: summary::Model) -> Result<Self, Problem> {
        Ok(Self {
            figures: serde_json::from_value(row.figures)
                .map_err(|error| Problem::from(Code::Internal).caused_by(error))?,
            id: row.id,
            community_id: row.community_id,
            community_name: row.community_name,
            month: row.month,
            minimum_cell: row.minimum_cell,
            hash: row.hash,
            notice_id: row.notice_id,
            made_at: row.made_at,
        })
    }
}

/// Monthly summaries of the communities at and below a place, newest first
#[utoipa::path(tag = "figures", params(places::ListParams), responses((status = 200, body = Page<SummaryView>)))]
#[get("/summaries")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<SummaryView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let there = places::communities_of(&place, summary::Column::CommunityId);
    let rows = paging.apply(summary::Entity::find().filter(there), summary::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = items.into_iter().map(SummaryView::new).collect::<Result<_, _>>()?;
    Ok(web::Json(Page { items, next_cursor }))
}

async fn find(state: &AppState, id: &str) -> Result<summary::Model, Problem> {
    let id: SummaryId = id.parse().map_err(|error| Problem::from(Code::NotFound).caused_by(error))?;
    summary::Entity::find_by_id(id).one(state.db.read()).await?.ok_or_else(|| Code::NotFound.into())
}

/// One summary
#[utoipa::path(tag = "figures", responses((status = 200, body = SummaryView)))]
#[get("/summaries/{id}")]
async fn read(state: web::Data<AppState>, _: Caller, id: web::Path<String>) -> Result<web::Json<SummaryView>, Problem> {
    SummaryView::new(find(&state, &id).await?).map(web::Json)
}

/// The same as a file for spreadsheets
#[utoipa::path(tag = "figures", responses((status = 200, content_type = "text/csv", body = String)))]
#[get("/summaries/{id}.csv")]
async fn download(state: web::Data<AppState>, _: Caller, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let row = find(&state, &id).await?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"summary-{}.csv\"", row.month)))
        .insert_header((ETAG, format!("\"{}\"", row.hash)))
        .body(row.csv))
}
