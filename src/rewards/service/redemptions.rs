//! Redeeming, and the three ways in which a redemption ends.

use chrono::{DateTime, Duration, Utc};
use entities::ids::{RedemptionId, RewardId, UserId};
use entities::rewards::{RedemptionState, RewardKind, count, redemption, reward};
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use super::merchants::{self, Clerk, clerk};
use super::{find_reward, opening, vouchers};
use crate::identity::{Actor, Permission};
use crate::notifications::{self, Message, Template};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::crypto::Purpose;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::rewards::domain::code::{self, Age};
use crate::rewards::{books, domain};
use crate::{audit, places};

/// Of redemptions with one handle at most so many are tried: 35 bits make two of them rare.
const SAME_HANDLE: u64 = 16;

/// What proves, during one step, that a code is the redemption's.
fn proof(state: &AppState, id: RedemptionId, step: i64) -> String {
    code::proof(&state.keys.sign(Purpose::PickupCode, &code::message(id.0, step)))
}

/// The code that a redemption's owner shows now, and when it gives way to the next.
pub(in crate::rewards) fn pickup_code(
    state: &AppState,
    row: &redemption::Model,
    now: DateTime<Utc>,
) -> (String, DateTime<Utc>) {
    let step = code::step(row.created_at, now);
    (code::shown(&row.handle, &proof(state, row.id, step)), code::step_ends(row.created_at, step))
}

/// Takes one piece, counts it against the limit and holds its cost. The conditions of the three statements decide
/// `out_of_stock`, `reward_not_offered`, `redemption_limit` and `insufficient_points`.
pub(in crate::rewards) async fn redeem(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    reward_id: RewardId,
) -> Result<(redemption::Model, reward::Model), Problem> {
    let home = actor.require_verified(txn).await?;
    let known = reward::Entity::find_by_id(reward_id)
        .one(txn)
        .await?
        .ok_or_else(|| Problem::field("/reward_id", "没有这个礼品 / no such reward"))?;
    if known.community_id != home.community_id {
        return Err(Code::NotResidentHere.into());
    }
    // Who comes late need not queue for the reward's row. For all others the statements below decide.
    if known.available == 0 && known.withdrawn_at.is_none() {
        return Err(Code::OutOfStock.into());
    }
    let rules = places::rules(state, txn, known.community_id).await?;
    let now = state.clock.now();
    let reward = take(txn, reward_id, now).await?;
    let period = count_one(txn, &reward, actor.user_id, now).await?;
    let id: RedemptionId = ids::ordered(&state.clock);
    let hold = books::hold(state, txn, (id, &reward), actor.user_id, now).await?;
    let row = redemption::ActiveModel {
        id: Set(id),
        reward_id: Set(reward_id),
        community_id: Set(reward.community_id),
        place_path: Set(reward.place_path.clone()),
        user_id: Set(actor.user_id),
        cost: Set(reward.cost),
        state: Set(RedemptionState::Reserved),
        handle: Set(code::handle(&state.keys.sign(Purpose::PickupHandle, id.0.as_bytes()))),
        transfer_id: Set(hold),
        period: Set(period),
        created_at: Set(now),
        expires_at: Set(now + Duration::hours(rules.pickup_hours)),
        ended_at: Set(None),
        settled_by: Set(None),
        shown_at: Set(None),
    };
    let row = row.insert(txn).await?;
    if reward.kind == RewardKind::Voucher {
        vouchers::assign(txn, &row).await?;
    }
    Ok((row, reward))
}

/// One piece of what is offered now.
async fn take(txn: &DatabaseTransaction, id: RewardId, now: DateTime<Utc>) -> Result<reward::Model, Problem> {
    let begun = reward::Column::AvailableFrom.is_null().or(reward::Column::AvailableFrom.lte(now));
    let not_over = reward::Column::AvailableUntil.is_null().or(reward::Column::AvailableUntil.gt(now));
    let offered = Condition::all().add(reward::Column::WithdrawnAt.is_null()).add(begun).add(not_over);
    let taken = reward::Entity::update_many()
        .col_expr(reward::Column::Available, Expr::col(reward::Column::Available).sub(1))
        .filter(reward::Column::Id.eq(id))
        .filter(reward::Column::Available.gt(0))
        .filter(offered.clone())
        .exec_with_returning(txn)
        .await?;
    if let Some(reward) = taken.into_iter().next() {
        return Ok(reward);
    }
    let is_offered = reward::Entity::find_by_id(id).filter(offered).one(txn).await?.is_some();
    Err(if is_offered { Code::OutOfStock } else { Code::RewardNotOffered }.into())
}

/// Counts a redemption of a limited reward; gives the period that it counts in.
async fn count_one(
    txn: &DatabaseTransaction,
    reward: &reward::Model,
    person: UserId,
    now: DateTime<Utc>,
) -> Result<Option<String>, Problem> {
    let Some((allowed, of)) = reward.limit_count.zip(reward.limit_period) else { return Ok(None) };
    let period = domain::offer::period(of, calendar::local(now).date());
    let first = count::ActiveModel {
        reward_id: Set(reward.id),
        user_id: Set(person),
        period: Set(period.clone()),
        used: Set(1),
        allowed: Set(allowed),
    };
    let one_more = OnConflict::columns([count::Column::RewardId, count::Column::UserId, count::Column::Period])
        .value(count::Column::Used, Expr::cust("reward_counts.used + 1"))
        .value(count::Column::Allowed, Expr::cust("excluded.allowed"))
        .action_and_where(Expr::cust("reward_counts.used < excluded.allowed"))
        .to_owned();
    let counted = count::Entity::insert(first).on_conflict(one_more).exec_without_returning(txn).await?;
    if counted == 1 { Ok(Some(period)) } else { Err(Code::RedemptionLimit.into()) }
}

/// Hands out against a code: the points are spent. Staff of the place do so at any time, a merchant's people within the
/// opening times and for their own merchant only.
pub(in crate::rewards) async fn settle(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    typed: &str,
) -> Result<(redemption::Model, reward::Model), Problem> {
    if actor.require_somewhere(Permission::SettleRedemptions).is_err()
        && !merchants::is_anywhere(txn, actor.user_id).await?
    {
        return Err(Code::Forbidden.into());
    }
    let now = state.clock.now();
    let (row, age) = find_by_code(state, txn, typed, now).await?;
    let reward = find_reward(txn, row.reward_id).await?;
    // A clerk elsewhere does not learn that the code exists; a voucher has none.
    let clerk = clerk(txn, actor, &reward).await?.filter(|_| reward.kind == RewardKind::Piece);
    let clerk = clerk.ok_or(Code::PickupCodeInvalid)?;
    if row.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if age == Age::Old {
        return Err(Code::PickupCodeExpired.into());
    }
    if clerk == Clerk::Counter {
        require_open(txn, &reward, now).await?;
    }
    let in_time = redemption::Column::ExpiresAt.gt(now);
    let row = end(txn, row.id, now, End::Settled { by: actor.user_id }, in_time).await?;
    books::spend(state, txn, &row, actor.user_id).await?;
    record(state, txn, actor, "redemption.settle", &row).await?;
    tell(state, txn, &row, "兑换已领取", format!("“{}”已领取，使用{}积分。", reward.title, row.cost)).await?;
    Ok((row, reward))
}

async fn find_by_code(
    state: &AppState,
    txn: &DatabaseTransaction,
    typed: &str,
    now: DateTime<Utc>,
) -> Result<(redemption::Model, Age), Problem> {
    let typed = code::read(typed).ok_or(Code::PickupCodeInvalid)?;
    let known = redemption::Entity::find().filter(redemption::Column::Handle.eq(&typed.handle)).limit(SAME_HANDLE);
    let known = known.all(txn).await?.into_iter();
    let proven = known.filter_map(|row| {
        let age = code::age(&typed.proof, row.created_at, now, |step| proof(state, row.id, step))?;
        Some((row, age))
    });
    proven.into_iter().next().ok_or_else(|| Code::PickupCodeInvalid.into())
}

/// Its own opening times, else its merchant's; without any it is handed out at all times.
async fn require_open(txn: &DatabaseTransaction, reward: &reward::Model, now: DateTime<Utc>) -> Result<(), Problem> {
    let times = match (opening(reward.opening.as_ref())?, reward.merchant_id) {
        (Some(own), _) => Some(own),
        (None, Some(merchant)) => opening(merchants::find(txn, merchant).await?.opening.as_ref())?,
        (None, None) => None,
    };
    match times {
        Some(times) if !times.is_open(calendar::local(now)) => {
            Err(Problem::new(Code::OutsideOpening, format!("领取时间：{}", times.words())))
        }
        _ => Ok(()),
    }
}

/// Calls a redemption off, by its owner or by staff.
pub(in crate::rewards) async fn cancel(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: RedemptionId,
) -> Result<(redemption::Model, reward::Model), Problem> {
    let row = redemption::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let own = row.user_id == actor.user_id;
    if !own && !actor.may(Permission::ManageRewards, &row.place_path) {
        return Err(Code::NotFound.into());
    }
    let row = end(txn, id, state.clock.now(), End::Cancelled, Expr::value(true)).await?;
    let reward = give_back(state, txn, &row, Some(actor.user_id)).await?;
    if !own {
        record(state, txn, actor, "redemption.cancel", &row).await?;
        tell(state, txn, &row, "兑换已取消", format!("“{}”的兑换已被取消，{}积分已退回。", reward.title, row.cost))
            .await?;
    }
    Ok((row, reward))
}

/// Ends every redemption that was not collected in time, each in a transaction of its own.
pub(in crate::rewards) async fn expire_due(state: &AppState) -> Result<(), Problem> {
    const BATCH: usize = 100;
    loop {
        let now = state.clock.now();
        let due = redemption::Entity::find()
            .filter(redemption::Column::State.eq(RedemptionState::Reserved))
            .filter(redemption::Column::ExpiresAt.lte(now))
            .order_by_asc(redemption::Column::ExpiresAt)
            .limit(u64::try_from(BATCH).unwrap_or(u64::MAX))
            .all(state.db.read())
            .await?;
        let (found, mut ended, mut failure) = (due.len(), 0, None);
        for row in due {
            match transact(state, async |txn| expire(state, txn, row.id, now).await).await {
                Ok(()) => ended += 1,
                // Settled or cancelled a moment ago: that counts.
                Err(problem) if problem.is_refusal() => {}
                Err(problem) => failure = Some(problem),
            }
        }
        // One that cannot be ended must not keep the others waiting, nor this loop running.
        if ended == 0 || found < BATCH {
            return failure.map_or(Ok(()), Err);
        }
    }
}

async fn expire(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: RedemptionId,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let due = redemption::Column::ExpiresAt.lte(now);
    let row = end(txn, id, now, End::Expired, due).await?;
    let reward = give_back(state, txn, &row, None).await?;
    tell(state, txn, &row, "兑换已过期", format!("“{}”未在期限内领取，{}积分已退回。", reward.title, row.cost)).await
}

/// How a redemption ends.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// Somebody handed out a piece.
    Settled {
        by: UserId,
    },
    /// Its owner looked at the voucher's code.
    Shown,
    Cancelled,
    Expired,
}

/// Ends a redemption that is still reserved. Of all who try only one finds it so; the others learn how it ended.
pub(super) async fn end(
    txn: &DatabaseTransaction,
    id: RedemptionId,
    now: DateTime<Utc>,
    how: End,
    condition: SimpleExpr,
) -> Result<redemption::Model, Problem> {
    let (to, settled_by, shown_at) = match how {
        End::Settled { by } => (RedemptionState::Settled, Some(by), None),
        End::Shown => (RedemptionState::Settled, None, Some(now)),
        End::Cancelled => (RedemptionState::Cancelled, None, None),
        End::Expired => (RedemptionState::Expired, None, None),
    };
    let ended = redemption::Entity::update_many()
        .col_expr(redemption::Column::State, to.into())
        .col_expr(redemption::Column::EndedAt, now.into())
        .col_expr(redemption::Column::SettledBy, Expr::value(settled_by))
        .col_expr(redemption::Column::ShownAt, Expr::value(shown_at))
        .filter(redemption::Column::Id.eq(id))
        .filter(redemption::Column::State.eq(RedemptionState::Reserved))
        .filter(condition)
        .exec_with_returning(txn)
        .await?;
    if let Some(row) = ended.into_iter().next() {
        return Ok(row);
    }
    let row = redemption::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    Err(match (row.state, row.shown_at) {
        (RedemptionState::Settled, Some(_)) => Code::VoucherShown,
        (RedemptionState::Settled, None) => Code::AlreadySettled,
        _ => Code::RedemptionEnded,
    }
    .into())
}

/// The piece goes back to the shelf, the limit's count to the person, the points to the wallet and the code to the pool.
async fn give_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &redemption::Model,
    actor: Option<UserId>,
) -> Result<reward::Model, Problem> {
    let put_back = reward::Entity::update_many()
        .col_expr(reward::Column::Available, Expr::col(reward::Column::Available).add(1))
        .filter(reward::Column::Id.eq(row.reward_id))
        .exec_with_returning(txn)
        .await?;
    let reward = put_back.into_iter().next().ok_or(Code::Internal)?;
    if let Some(period) = &row.period {
        count::Entity::update_many()
            .col_expr(count::Column::Used, Expr::col(count::Column::Used).sub(1))
            .filter(count::Column::RewardId.eq(row.reward_id))
            .filter(count::Column::UserId.eq(row.user_id))
            .filter(count::Column::Period.eq(period))
            .exec(txn)
            .await?;
    }
    books::free(state, txn, row, actor).await?;
    if reward.kind == RewardKind::Voucher {
        vouchers::release(txn, row.id).await?;
    }
    Ok(reward)
}

pub(super) async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &redemption::Model,
) -> Result<(), Problem> {
    let detail = json!({ "reward_id": row.reward_id, "user_id": row.user_id });
    let target = ("redemption", row.id.0);
    audit::record(state, txn, Some(actor.user_id), action, target, Some(row.community_id), detail).await
}

async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &redemption::Model,
    title: &str,
    body: String,
) -> Result<(), Problem> {
    let message = Message {
        kind: "redemption.ended",
        title: title.to_owned(),
        body,
        target: Some(("redemption", row.id.0)),
        dedupe_key: format!("redemption:{}", row.id),
        template: Template::Points,
    };
    notifications::tell(state, txn, row.user_id, &message).await
}
