mod manual;
mod rules;

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, TransactionId};
use entities::points::score;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::board::{self, Board};
use super::domain::{self, Period};
use crate::identity::{self, Actor};
use crate::ledger::{self, TransactionKind};
use crate::places;
use crate::platform::http::{Page, Paging, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(mine).service(entries).service(leaderboard);
    manual::routes(config);
    rules::routes(config);
}

/// What one holds in the community one lives in.
#[derive(Serialize, ToSchema, Default)]
struct PointsView {
    /// Can be spent.
    available: i64,
    /// Held for gifts that wait to be collected.
    reserved: i64,
    /// Owed, of what a reversal could not take back: what one earns next pays it.
    debt: i64,
    /// All that one was ever awarded here.
    earned: i64,
}

/// One's own points in the community one lives in; zeros without a confirmed residence
#[utoipa::path(tag = "points", responses((status = 200, body = PointsView)))]
#[get("/me/points")]
async fn mine(state: web::Data<AppState>, actor: Actor) -> Result<web::Json<PointsView>, Problem> {
    let connection = state.db.read();
    let Some(home) = identity::residence(connection, actor.user_id).await? else {
        return Ok(web::Json(PointsView::default()));
    };
    let balance = ledger::balance(connection, home.community_id, actor.user_id, state.clock.now()).await?;
    let ever = Period::All.key(domain::china_day(state.clock.now()));
    let earned = score::Entity::find_by_id((home.community_id, ever, actor.user_id)).one(connection).await?;
    Ok(web::Json(PointsView {
        available: balance.available,
        reserved: balance.reserved,
        debt: balance.debt,
        earned: earned.map_or(0, |row| row.points),
    }))
}

/// Something that makes up one's balance.
#[derive(Serialize, ToSchema)]
struct Entry {
    id: TransactionId,
    /// Below zero for what left the wallet or is reserved.
    amount: i64,
    /// By how much more one owes, of what a reversal could not take back; below zero for what was paid back.
    owed: i64,
    kind: TransactionKind,
    /// A hold that is still open: not spent, and not available.
    reserved: bool,
    reason: String,
    created_at: DateTime<Utc>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryParams {
    cursor: Option<String>,
    limit: Option<u64>,
}

/// What makes up one's balance in the community one lives in, newest first
#[utoipa::path(tag = "points", params(EntryParams), responses((status = 200, body = Page<Entry>)))]
#[get("/me/points/entries")]
async fn entries(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<EntryParams>,
) -> Result<web::Json<Page<Entry>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let connection = state.db.read();
    let Some(home) = identity::residence(connection, actor.user_id).await? else {
        return Ok(web::Json(Page { items: Vec::new(), next_cursor: None }));
    };
    let rows = ledger::entries(connection, home.community_id, actor.user_id, &paging).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |entry| entry.transaction.id.0,
        |entry| Entry {
            id: entry.transaction.id,
            amount: entry.amount,
            owed: entry.owed,
            kind: entry.transaction.kind,
            reserved: entry.is_held(),
            created_at: entry.transaction.created_at,
            reason: entry.transaction.reason,
        },
    )))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BoardParams {
    /// A community, or a place in one: a board is a community's.
    place_id: PlaceId,
    /// `month` without it.
    period: Option<Period>,
    /// How many of the first to list: 10 without it, at most 50.
    limit: Option<u64>,
}

/// Who earned most in a community: the first, oneself, and who stands next to one
///
/// Equal points share a rank (1, 2, 2, 4); who had them first stands first. Names are masked; who opted out is neither listed
/// nor counted.
#[utoipa::path(tag = "points", params(BoardParams), responses((status = 200, body = Board)))]
#[get("/leaderboards")]
async fn leaderboard(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<BoardParams>,
) -> Result<web::Json<Board>, Problem> {
    let limit = params.limit.unwrap_or(10);
    if !(1..=50).contains(&limit) {
        return Err(Problem::field("?limit", "1 to 50"));
    }
    let (_, community) = places::named_in_community(state.db.read(), params.place_id, "?place_id").await?;
    let period = params.period.unwrap_or(Period::Month);
    Ok(web::Json(board::read(&state, community, period, actor.user_id, limit).await?))
}
