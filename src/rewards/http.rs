use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, RedemptionId, RewardId};
use entities::rewards::{RedemptionState, redemption, reward};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{domain, service};
use crate::identity::Actor;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(redeem).service(settle).service(cancel).service(mine);
}

/// Something that points buy.
#[derive(Serialize, ToSchema)]
struct RewardView {
    id: RewardId,
    place_id: PlaceId,
    title: String,
    /// Points.
    cost: i64,
    /// How many there were.
    stock: i64,
    /// How many can still be redeemed.
    available: i64,
}

impl From<reward::Model> for RewardView {
    fn from(row: reward::Model) -> Self {
        let reward::Model { id, place_id, title, cost, stock, available, .. } = row;
        Self { id, place_id, title, cost, stock, available }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReward {
    /// A community or a place in one: where it is handed out.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(40)))]
    title: String,
    /// Points.
    #[garde(range(min = 1, max = 1_000_000))]
    cost: i64,
    #[garde(range(min = 0, max = 1_000_000))]
    stock: i64,
}

/// Offer a reward
#[utoipa::path(tag = "rewards", request_body = NewReward, responses((status = 201, body = RewardView)))]
#[post("/rewards")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewReward>) -> Result<Outcome, Problem> {
    let NewReward { place_id, title, cost, stock } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::create(&state, txn, &actor, *place_id, title.trim(), *cost, *stock).await.map(RewardView::from)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RewardParams {
    /// Lists what is offered at or below it.
    place_id: PlaceId,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// What points buy at a place, newest first
#[utoipa::path(tag = "rewards", params(RewardParams), responses((status = 200, body = Page<RewardView>)))]
#[get("/rewards")]
async fn list(
    state: web::Data<AppState>,
    _: Actor,
    params: Params<RewardParams>,
) -> Result<web::Json<Page<RewardView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let offered = reward::Entity::find().filter(places::listed_in(
        &place,
        reward::Column::CommunityId,
        reward::Column::PlacePath,
    ));
    let rows = paging.apply(offered, reward::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, RewardView::from)))
}

/// A reward that waits for its owner, or how that ended.
#[derive(Serialize, ToSchema)]
struct RedemptionView {
    id: RedemptionId,
    state: RedemptionState,
    reward: RedeemedReward,
    /// Points: held while reserved, spent once settled, given back otherwise.
    cost: i64,
    /// For its owner, while it is reserved. Upper or lower case, with or without the dash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup_code: Option<String>,
    created_at: DateTime<Utc>,
    /// Until then it waits.
    expires_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

/// What a redemption is for.
#[derive(Serialize, ToSchema)]
struct RedeemedReward {
    id: RewardId,
    title: String,
}

impl RedemptionView {
    fn new(row: redemption::Model, reward: &reward::Model) -> Self {
        Self {
            id: row.id,
            state: row.state,
            reward: RedeemedReward { id: row.reward_id, title: reward.title.clone() },
            cost: row.cost,
            pickup_code: None,
            created_at: row.created_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
        }
    }

    fn with_code(mut self, state: &AppState) -> Self {
        self.pickup_code = Some(domain::shown(&service::pickup_code(state, self.id)));
        self
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRedemption {
    #[garde(skip)]
    reward_id: RewardId,
}

/// Redeem a reward of one's own community: the points are held until it is collected
///
/// 409 `out_of_stock` or `insufficient_points`.
#[utoipa::path(tag = "rewards", request_body = NewRedemption, responses((status = 201, body = RedemptionView)))]
#[post("/redemptions")]
async fn redeem(state: web::Data<AppState>, actor: Actor, request: Command<NewRedemption>) -> Result<Outcome, Problem> {
    let mut outcome = command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let (row, reward) = service::redeem(&state, txn, &actor, request.input.reward_id).await?;
        Ok(RedemptionView::new(row, &reward))
    })
    .await?;
    // The stored answer holds no code. It follows from the id, so that a repeated request gets it too.
    if outcome.is_success()
        && let Some(body) = outcome.body.as_object_mut()
    {
        let id = body.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok()).ok_or(Code::Internal)?;
        body.insert("pickup_code".to_owned(), domain::shown(&service::pickup_code(&state, id)).into());
    }
    Ok(outcome)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PickupCode {
    /// As scanned or typed; case, spaces and dashes do not matter.
    #[garde(custom(text::line(40)))]
    pickup_code: String,
}

/// Hand out a reward against its code; a code is good once
///
/// 404 `pickup_code_invalid`, 409 `already_settled` or `redemption_ended`.
#[utoipa::path(tag = "rewards", request_body = PickupCode, responses((status = 200, body = RedemptionView)))]
#[post("/redemptions/settle")]
async fn settle(state: web::Data<AppState>, actor: Actor, request: Command<PickupCode>) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, reward) = service::settle(&state, txn, &actor, &request.input.pickup_code).await?;
        Ok(RedemptionView::new(row, &reward))
    })
    .await
}

/// Call off a redemption that was not collected, one's own or as staff; points and stock are given back
#[utoipa::path(tag = "rewards", responses((status = 200, body = RedemptionView)))]
#[post("/redemptions/{id}/cancel")]
async fn cancel(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RedemptionId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, reward) = service::cancel(&state, txn, &actor, *id).await?;
        Ok(RedemptionView::new(row, &reward))
    })
    .await
}

/// One's own redemptions, newest first, with their codes while reserved
#[utoipa::path(tag = "rewards", params(PageParams), responses((status = 200, body = Page<RedemptionView>)))]
#[get("/me/redemptions")]
async fn mine(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<RedemptionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let connection = state.db.read();
    let mine = redemption::Entity::find().filter(redemption::Column::UserId.eq(actor.user_id));
    let rows = paging.apply(mine, redemption::Column::Id).all(connection).await?;
    let rewards = reward::Entity::find().filter(reward::Column::Id.is_in(rows.iter().map(|row| row.reward_id)));
    let rewards = rewards.all(connection).await?;
    let now = state.clock.now();
    let views = rows.into_iter().map(|row| {
        let reward = rewards.iter().find(|reward| reward.id == row.reward_id).ok_or(Code::Internal)?;
        let waits = row.state == RedemptionState::Reserved && now < row.expires_at;
        let view = RedemptionView::new(row, reward);
        Ok(if waits { view.with_code(&state) } else { view })
    });
    let views = views.collect::<Result<Vec<_>, Problem>>()?;
    Ok(web::Json(paging.page(&state.keys, views, |view| view.id.0, |view| view)))
}
