use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{RedemptionId, RewardId};
use entities::rewards::{RedemptionState, RewardKind, redemption, reward};
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::rewards::domain::code::{GRACE, SCHEME};
use crate::rewards::service::{find_reward, redemptions, tries, vouchers};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(redeem).service(settle).service(cancel).service(mine).service(show_code).service(show_voucher);
}

/// A reward that waits for its owner, or how that ended.
#[derive(Serialize, ToSchema)]
struct RedemptionView {
    id: RedemptionId,
    state: RedemptionState,
    reward: RedeemedReward,
    /// Points: held while reserved, spent once settled, given back otherwise.
    cost: i64,
    /// For its owner, while it is reserved: the code of this minute (`GET /me/redemptions/{id}/code` gives the next ones).
    /// Upper or lower case, with or without dashes. A voucher has none.
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
    kind: RewardKind,
}

impl RedemptionView {
    fn new(row: redemption::Model, reward: &reward::Model) -> Self {
        Self {
            id: row.id,
            state: row.state,
            reward: RedeemedReward { id: row.reward_id, title: reward.title.clone(), kind: reward.kind },
            cost: row.cost,
            pickup_code: None,
            created_at: row.created_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
        }
    }
}

/// Whether a redemption has a code to show now.
fn has_code(row: &redemption::Model, reward: &reward::Model, now: DateTime<Utc>) -> bool {
    row.state == RedemptionState::Reserved && reward.kind == RewardKind::Piece && now < row.expires_at
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRedemption {
    #[garde(skip)]
    reward_id: RewardId,
}

/// The redemption that an answer is about.
fn id_in(outcome: &Outcome) -> Result<RedemptionId, Problem> {
    let id = outcome.body.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    id.ok_or_else(|| Code::Internal.into())
}

/// Adds to an answer what must not be stored with it.
fn add(outcome: &mut Outcome, name: &str, text: String) {
    if let Some(body) = outcome.body.as_object_mut() {
        body.insert(name.to_owned(), text.into());
    }
}

/// Redeem a reward of one's own community: the points are held until it is collected
///
/// 409 `out_of_stock`, `reward_not_offered`, `redemption_limit` or `insufficient_points`.
#[utoipa::path(tag = "rewards", request_body = NewRedemption, responses((status = 201, body = RedemptionView)))]
#[post("/redemptions")]
async fn redeem(state: web::Data<AppState>, actor: Actor, request: Command<NewRedemption>) -> Result<Outcome, Problem> {
    let mut outcome = command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let (row, reward) = redemptions::redeem(&state, txn, &actor, request.input.reward_id).await?;
        Ok(RedemptionView::new(row, &reward))
    })
    .await?;
    // The stored answer holds no code: a repeated request gets the one of now.
    if outcome.is_success() {
        let (row, reward) = own(&state, &actor, id_in(&outcome)?).await?;
        let now = state.clock.now();
        if has_code(&row, &reward, now) {
            add(&mut outcome, "pickup_code", redemptions::pickup_code(&state, &row, now).0);
        }
    }
    Ok(outcome)
}

async fn own(state: &AppState, actor: &Actor, id: RedemptionId) -> Result<(redemption::Model, reward::Model), Problem> {
    let row = redemption::Entity::find_by_id(id).filter(redemption::Column::UserId.eq(actor.user_id));
    let row = row.one(state.db.read()).await?.ok_or(Code::NotFound)?;
    let reward = find_reward(state.db.read(), row.reward_id).await?;
    Ok((row, reward))
}

/// What the owner's screen shows; it asks for a new one when it changes.
#[derive(Serialize, ToSchema)]
struct ShownCode {
    /// `7K3QF-2M9XA-0B1CD-EF2GH`
    pickup_code: String,
    /// Then there is another.
    changes_at: DateTime<Utc>,
    /// Until then this one is accepted.
    expires_at: DateTime<Utc>,
    /// A QR code of `linli://pick-up/{code}`.
    qr_svg: String,
}

/// The code to collect one's redemption with; another every minute
///
/// 409 `already_settled` or `redemption_ended` once there is nothing to collect.
#[utoipa::path(tag = "rewards", responses((status = 200, body = ShownCode)))]
#[get("/me/redemptions/{id}/code")]
async fn show_code(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RedemptionId>,
) -> Result<web::Json<ShownCode>, Problem> {
    let (row, reward) = own(&state, &actor, *id).await?;
    let now = state.clock.now();
    if reward.kind != RewardKind::Piece {
        return Err(Code::NotFound.into());
    }
    if !has_code(&row, &reward, now) {
        let settled = row.state == RedemptionState::Settled;
        return Err(if settled { Code::AlreadySettled } else { Code::RedemptionEnded }.into());
    }
    let (pickup_code, changes_at) = redemptions::pickup_code(&state, &row, now);
    let picture = QRBuilder::new(format!("{SCHEME}{pickup_code}"))
        .build()
        .map_err(|error| Problem::from(Code::Internal).caused_by(error.to_string()))?;
    let qr_svg = SvgBuilder::default().to_str(&picture);
    let expires_at = (changes_at + GRACE).min(row.expires_at);
    Ok(web::Json(ShownCode { pickup_code, changes_at, expires_at, qr_svg }))
}

/// Look at the code of a voucher that one redeemed: the first look settles the redemption
///
/// The answer has `voucher_code`. From then on the points are spent and nothing can be given back. Each look is audited.
#[utoipa::path(tag = "rewards", responses((status = 200, body = RedemptionView)))]
#[post("/redemptions/{id}/voucher")]
async fn show_voucher(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RedemptionId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    let mut outcome = command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, reward) = vouchers::show(&state, txn, &actor, *id).await?;
        Ok(RedemptionView::new(row, &reward))
    })
    .await?;
    // The stored answer holds no code.
    if outcome.is_success() {
        let code = vouchers::code_of(&state, state.db.read(), id_in(&outcome)?).await?;
        add(&mut outcome, "voucher_code", code);
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
/// For staff of the place, and for its merchant's people within the opening times. 404 `pickup_code_invalid` (also for a
/// clerk of another merchant), 409 `pickup_code_expired`, `outside_opening`, `already_settled` or `redemption_ended`; 429 after
/// twenty wrong codes in ten minutes.
#[utoipa::path(tag = "rewards", request_body = PickupCode, responses((status = 200, body = RedemptionView)))]
#[post("/redemptions/settle")]
async fn settle(state: web::Data<AppState>, actor: Actor, request: Command<PickupCode>) -> Result<Outcome, Problem> {
    tries::check(&state, actor.user_id).await?;
    let outcome = command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, reward) = redemptions::settle(&state, txn, &actor, &request.input.pickup_code).await?;
        Ok(RedemptionView::new(row, &reward))
    })
    .await;
    let wrong = match &outcome {
        Ok(answer) => !answer.replayed && answer.is_refusal(Code::PickupCodeInvalid),
        Err(problem) => problem.code() == Code::PickupCodeInvalid,
    };
    if wrong {
        tries::count(&state, actor.user_id).await;
    }
    outcome
}

/// Call off a redemption that was not collected, one's own or as staff; points and stock are given back
///
/// 409 `voucher_shown` once a voucher's code was looked at.
#[utoipa::path(tag = "rewards", responses((status = 200, body = RedemptionView)))]
#[post("/redemptions/{id}/cancel")]
async fn cancel(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RedemptionId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, reward) = redemptions::cancel(&state, txn, &actor, *id).await?;
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
        let code = has_code(&row, reward, now).then(|| redemptions::pickup_code(&state, &row, now).0);
        Ok(RedemptionView { pickup_code: code, ..RedemptionView::new(row, reward) })
    });
    let views = views.collect::<Result<Vec<_>, Problem>>()?;
    Ok(web::Json(paging.page(&state.keys, views, |view| view.id.0, |view| view)))
}
