use chrono::{DateTime, Duration, Utc};
use entities::ids::{PlaceId, RedemptionId, RewardId, UserId};
use entities::rewards::{RedemptionState, redemption, reward};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use super::domain;
use crate::audit;
use crate::identity::{Actor, Permission};
use crate::ledger::{self, Party, Transaction, TransactionKind, Transfer};
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::state::AppState;

/// The code against which a redemption is handed out.
pub(super) fn pickup_code(state: &AppState, id: RedemptionId) -> String {
    domain::code(&state.keys.sign(Purpose::PickupCode, id.0.as_bytes()))
}

/// What is stored of a code, to find it by.
fn code_hash(state: &AppState, code: &str) -> String {
    hex(&state.keys.sign(Purpose::PickupHash, code.as_bytes()))
}

/// Offers a reward.
pub(super) async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    place_id: PlaceId,
    title: &str,
    cost: i64,
    stock: i64,
) -> Result<reward::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, place_id, "/place_id").await?;
    actor.require(Permission::ManageRewards, &place.path)?;
    let row = reward::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        title: Set(title.to_owned()),
        cost: Set(cost),
        stock: Set(stock),
        available: Set(stock),
        created_by: Set(actor.user_id),
        created_at: Set(state.clock.now()),
    };
    let row = row.insert(txn).await?;
    let detail = json!({ "cost": cost, "stock": stock });
    audit::record(state, txn, Some(actor.user_id), "reward.create", ("reward", row.id.0), Some(place_id), detail)
        .await?;
    Ok(row)
}

/// Takes one piece and holds its cost. The conditions of the two updates decide `out_of_stock` and `insufficient_points`.
pub(super) async fn redeem(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    reward_id: RewardId,
) -> Result<(redemption::Model, reward::Model), Problem> {
    let home = actor.require_verified(txn).await?;
    let reward = reward::Entity::find_by_id(reward_id)
        .one(txn)
        .await?
        .ok_or_else(|| Problem::field("/reward_id", "没有这个礼品 / no such reward"))?;
    if reward.community_id != home.community_id {
        return Err(Code::NotResidentHere.into());
    }
    let taken = reward::Entity::update_many()
        .col_expr(reward::Column::Available, Expr::col(reward::Column::Available).sub(1))
        .filter(reward::Column::Id.eq(reward_id))
        .filter(reward::Column::Available.gt(0))
        .exec(txn)
        .await?;
    if taken.rows_affected == 0 {
        return Err(Code::OutOfStock.into());
    }
    let (id, now): (RedemptionId, _) = (ids::ordered(&state.clock), state.clock.now());
    let hold = Transaction {
        id: ids::ordered(&state.clock),
        community_id: reward.community_id,
        kind: TransactionKind::Redemption,
        transfers: vec![Transfer {
            from: Party::Person(actor.user_id),
            to: Party::Spent,
            amount: reward.cost,
            expires_at: None,
        }],
        dedupe_key: None,
        reason: &format!("兑换：{}", reward.title),
        actor: Some(actor.user_id),
        source: ("redemption", id.0),
        at: now,
    };
    ledger::hold(state, txn, &hold).await?;
    let row = redemption::ActiveModel {
        id: Set(id),
        reward_id: Set(reward_id),
        community_id: Set(reward.community_id),
        place_path: Set(reward.place_path.clone()),
        user_id: Set(actor.user_id),
        cost: Set(reward.cost),
        state: Set(RedemptionState::Reserved),
        code_hash: Set(code_hash(state, &pickup_code(state, id))),
        transfer_id: Set(hold.id),
        created_at: Set(now),
        expires_at: Set(now + Duration::hours(state.config.rules.pickup_hours)),
        ended_at: Set(None),
        settled_by: Set(None),
    };
    Ok((row.insert(txn).await?, reward))
}

/// Hands out against a code: the points are spent.
pub(super) async fn settle(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    typed: &str,
) -> Result<(redemption::Model, reward::Model), Problem> {
    actor.require_somewhere(Permission::SettleRedemptions)?;
    let code = domain::read(typed).ok_or(Code::PickupCodeInvalid)?;
    let known = redemption::Entity::find().filter(redemption::Column::CodeHash.eq(code_hash(state, &code)));
    let row = known.one(txn).await?.ok_or(Code::PickupCodeInvalid)?;
    if !actor.may(Permission::SettleRedemptions, &row.place_path) {
        // A clerk elsewhere does not learn that the code exists.
        return Err(Code::PickupCodeInvalid.into());
    }
    if row.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let now = state.clock.now();
    let in_time = redemption::Column::ExpiresAt.gt(now);
    let row = end(state, txn, row.id, RedemptionState::Settled, Some(actor.user_id), in_time).await?;
    if !ledger::post(state, txn, row.transfer_id, Some(actor.user_id)).await? {
        return Err(books_disagree(row.id));
    }
    let reward = find_reward(txn, row.reward_id).await?;
    record(state, txn, actor, "redemption.settle", &row).await?;
    tell(state, txn, &row, "兑换已领取", format!("“{}”已领取，使用{}积分。", reward.title, row.cost)).await?;
    Ok((row, reward))
}

/// Calls a redemption off, by its owner or by staff.
pub(super) async fn cancel(
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
    let row = end(state, txn, id, RedemptionState::Cancelled, None, Expr::value(true)).await?;
    let reward = give_back(state, txn, &row, Some(actor.user_id)).await?;
    if !own {
        record(state, txn, actor, "redemption.cancel", &row).await?;
        tell(state, txn, &row, "兑换已取消", format!("“{}”的兑换已被取消，{}积分已退回。", reward.title, row.cost))
            .await?;
    }
    Ok((row, reward))
}

/// Ends every redemption that was not collected in time, each in a transaction of its own.
pub(super) async fn expire_due(state: &AppState) -> Result<(), Problem> {
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
    let row = end(state, txn, id, RedemptionState::Expired, None, due).await?;
    let reward = give_back(state, txn, &row, None).await?;
    tell(state, txn, &row, "兑换已过期", format!("“{}”未在期限内领取，{}积分已退回。", reward.title, row.cost)).await
}

/// Ends a redemption that is still reserved. Of all who try only one finds it so; the others learn how it ended.
async fn end(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: RedemptionId,
    to: RedemptionState,
    settled_by: Option<UserId>,
    condition: SimpleExpr,
) -> Result<redemption::Model, Problem> {
    let ended = redemption::Entity::update_many()
        .col_expr(redemption::Column::State, to.into())
        .col_expr(redemption::Column::EndedAt, state.clock.now().into())
        .col_expr(redemption::Column::SettledBy, Expr::value(settled_by))
        .filter(redemption::Column::Id.eq(id))
        .filter(redemption::Column::State.eq(RedemptionState::Reserved))
        .filter(condition)
        .exec_with_returning(txn)
        .await?;
    if let Some(row) = ended.into_iter().next() {
        return Ok(row);
    }
    let row = redemption::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    Err(if row.state == RedemptionState::Settled { Code::AlreadySettled } else { Code::RedemptionEnded }.into())
}

/// The piece goes back to the shelf and the points to the wallet.
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
    let rules = places::rules(state, txn, row.community_id).await?;
    let grace = Duration::days(rules.refund_grace_days);
    let given_back = if row.state == RedemptionState::Expired {
        ledger::expire_hold(state, txn, row.transfer_id, grace).await?
    } else {
        ledger::void(state, txn, row.transfer_id, actor, grace).await?
    };
    if !given_back {
        return Err(books_disagree(row.id));
    }
    put_back.into_iter().next().ok_or_else(|| Code::Internal.into())
}

/// The hold of a redemption that was still reserved has ended: never, while `verify` finds nothing.
fn books_disagree(id: RedemptionId) -> Problem {
    Problem::from(Code::Internal).caused_by(format!("the hold of redemption {id} has ended before it"))
}

async fn find_reward(connection: &impl ConnectionTrait, id: RewardId) -> Result<reward::Model, Problem> {
    reward::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::Internal.into())
}

async fn record(
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
