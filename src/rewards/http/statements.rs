use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use entities::ids::{MerchantId, StatementId};
use entities::rewards::statement;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission};
use crate::platform::calendar::Month;
use crate::platform::code::Code;
use crate::platform::http::{Page, PageParams, Paging, Params, Problem};
use crate::platform::state::AppState;
use crate::rewards::domain::statement::Line;
use crate::rewards::service::merchants;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(download);
}

/// What a merchant handed out in a month; it never changes.
#[derive(Serialize, ToSchema)]
struct StatementView {
    id: StatementId,
    /// `2026-11`, by China's calendar.
    month: String,
    lines: Vec<Line>,
    /// Redemptions that were settled: each is one piece.
    pieces: i64,
    points: i64,
    /// SHA-256 of the CSV file.
    hash: String,
    made_at: DateTime<Utc>,
}

impl StatementView {
    fn new(row: statement::Model) -> Result<Self, Problem> {
        let lines =
            serde_json::from_value(row.lines).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
        let statement::Model { id, month, pieces, points, hash, made_at, .. } = row;
        Ok(Self { id, month, lines, pieces, points, hash, made_at })
    }
}

/// A merchant's statements are for its own people and for staff of its place.
async fn require_access(state: &AppState, actor: &Actor, id: MerchantId) -> Result<(), Problem> {
    let merchant = merchants::find(state.db.read(), id).await?;
    let allowed = actor.may(Permission::ManageRewards, &merchant.place_path)
        || merchants::is_person(state.db.read(), id, actor.user_id).await?;
    if allowed { Ok(()) } else { Err(Code::NotFound.into()) }
}

/// A merchant's statements, newest first, for its people and for staff of the place
///
/// One a month, made ten minutes after the month is over.
#[utoipa::path(tag = "rewards", params(PageParams), responses((status = 200, body = Page<StatementView>)))]
#[get("/merchants/{id}/statements")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MerchantId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<StatementView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    require_access(&state, &actor, *id).await?;
    let statements = statement::Entity::find().filter(statement::Column::MerchantId.eq(*id));
    let rows = paging.apply(statements, statement::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = items.into_iter().map(StatementView::new).collect::<Result<_, _>>()?;
    Ok(web::Json(Page { items, next_cursor }))
}

/// One month's statement as a file for spreadsheets
#[utoipa::path(tag = "rewards", responses((status = 200, content_type = "text/csv", body = String)))]
#[get("/merchants/{id}/statements/{month}.csv")]
async fn download(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(MerchantId, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, month) = path.into_inner();
    require_access(&state, &actor, id).await?;
    let month: Month = month.parse().map_err(|error| Problem::from(Code::NotFound).caused_by(error))?;
    let row = statement::Entity::find()
        .filter(statement::Column::MerchantId.eq(id))
        .filter(statement::Column::Month.eq(month.to_string()))
        .one(state.db.read())
        .await?
        .ok_or(Code::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"statement-{month}.csv\"")))
        .insert_header((ETAG, format!("\"{}\"", row.hash)))
        .body(row.csv))
}
