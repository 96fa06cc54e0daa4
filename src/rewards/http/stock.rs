use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{RewardId, StockChangeId};
use entities::rewards::stock_change;
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::catalogue::{RewardView, view};
use crate::identity::{Actor, Permission};
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::rewards::service::catalogue::{self, MOST};
use crate::rewards::service::{self, vouchers};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(restock).service(stock_changes).service(import);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStockChange {
    /// Above zero for what came, below for what left.
    #[garde(range(min = -MOST, max = MOST))]
    pieces: i64,
    #[garde(custom(text::line(100)))]
    reason: String,
}

/// Raise or lower a stock, and say why
///
/// 409 `stock_in_use` if less would be left than is reserved and handed out.
#[utoipa::path(tag = "rewards", request_body = NewStockChange, responses((status = 200, body = RewardView)))]
#[post("/rewards/{id}/stock")]
async fn restock(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RewardId>,
    request: Command<NewStockChange>,
) -> Result<Outcome, Problem> {
    let NewStockChange { pieces, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = catalogue::restock(&state, txn, &actor, *id, *pieces, reason.trim()).await?;
        view(&state, txn, row).await
    })
    .await
}

/// Why a stock is what it is.
#[derive(Serialize, ToSchema)]
struct StockChange {
    id: StockChangeId,
    pieces: i64,
    reason: String,
    created_at: DateTime<Utc>,
}

/// What came to a stock and left it, newest first, for staff of the place
#[utoipa::path(tag = "rewards", params(PageParams), responses((status = 200, body = Page<StockChange>)))]
#[get("/rewards/{id}/stock")]
async fn stock_changes(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RewardId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<StockChange>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let reward = service::find_reward(state.db.read(), *id).await?;
    actor.require(Permission::ManageRewards, &reward.place_path)?;
    let changes = stock_change::Entity::find().filter(stock_change::Column::RewardId.eq(*id));
    let rows = paging.apply(changes, stock_change::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| StockChange { id: row.id, pieces: row.pieces, reason: row.reason, created_at: row.created_at },
    )))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewVouchers {
    /// 1 to 5,000 codes of up to 40 characters; they are encrypted and never listed.
    #[garde(length(min = 1, max = vouchers::MOST), inner(custom(text::line(40))))]
    codes: Vec<String>,
}

/// Import voucher codes: all of them, or none
///
/// 422 names up to 100 lines that come twice or were imported before.
#[utoipa::path(tag = "rewards", request_body = NewVouchers, responses((status = 201, body = RewardView)))]
#[post("/rewards/{id}/vouchers")]
async fn import(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RewardId>,
    request: Command<NewVouchers>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = vouchers::import(&state, txn, &actor, *id, &request.input.codes).await?;
        view(&state, txn, row).await
    })
    .await
}
