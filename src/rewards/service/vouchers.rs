//! Codes that somebody else honours: imported, given to who redeems, shown to nobody else.
//!
//! A code is encrypted where it is stored; a keyed hash of it keeps it from being imported twice. To show a code is to hand it
//! out: from then on the redemption is settled and can be neither cancelled nor run out. Before that it can, and the code goes
//! back to the pool.

use std::collections::{HashMap, HashSet};

use entities::ids::{RedemptionId, RewardId};
use entities::rewards::{RedemptionState, RewardKind, redemption, reward, voucher};
use sea_orm::sea_query::{Expr, LockBehavior, LockType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::redemptions::{End, end};
use super::{catalogue, find_reward, redemptions};
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, hex};
use crate::platform::http::{FieldError, Problem};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::rewards::books;

/// What a code's cipher is bound to.
const CONTEXT: &str = "reward_vouchers.code";
/// At most so many codes in one call.
pub(in crate::rewards) const MOST: usize = 5_000;
/// So many rows or values in one statement.
const CHUNK: usize = 1_000;
/// At most so many wrong lines are named.
const NAMED: usize = 100;

/// Adds codes to the pool: all of them, or none and the lines that come twice are named.
pub(in crate::rewards) async fn import(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: RewardId,
    codes: &[String],
) -> Result<reward::Model, Problem> {
    let before = find_reward(txn, id).await?;
    actor.require(Permission::ManageRewards, &before.place_path)?;
    if before.kind != RewardKind::Voucher {
        return Err(Problem::field("/codes", "该礼品不是券 / this reward has no vouchers"));
    }
    let codes: Vec<&str> = codes.iter().map(|code| code.trim()).collect();
    let hashes: Vec<String> = codes.iter().map(|code| hash(state, id, code)).collect();
    // First of all the reward's row: two imports of one reward come one after the other.
    let pieces = i64::try_from(codes.len()).unwrap_or(i64::MAX);
    let row = catalogue::add_stock(txn, id, pieces).await?;
    refuse_twice(txn, id, &hashes).await?;
    let now = state.clock.now();
    let lines: Vec<(&&str, &String)> = codes.iter().zip(&hashes).collect();
    for lines in lines.chunks(CHUNK) {
        let mut rows = Vec::with_capacity(lines.len());
        for (code, hash) in lines {
            let sealed = state.keys.encrypt(CONTEXT, code);
            rows.push(voucher::ActiveModel {
                id: Set(ids::ordered(&state.clock)),
                reward_id: Set(id),
                code_cipher: Set(sealed.map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
                code_hash: Set((*hash).clone()),
                redemption_id: Set(None),
                created_by: Set(actor.user_id),
                created_at: Set(now),
            });
        }
        voucher::Entity::insert_many(rows).exec_without_returning(txn).await?;
    }
    catalogue::write_change(state, txn, actor.user_id, id, pieces, "导入券码").await?;
    catalogue::record(state, txn, actor, "reward.import_vouchers", &row, json!({ "pieces": pieces })).await?;
    Ok(row)
}

/// What is stored of a code, to find it by.
pub fn hash(state: &AppState, reward: RewardId, code: &str) -> String {
    hex(&state.keys.sign(Purpose::VoucherHash, [reward.0.as_bytes(), code.as_bytes()].concat().as_slice()))
}

/// Names the lines whose code stands further up, or is in the pool already.
async fn refuse_twice(txn: &DatabaseTransaction, id: RewardId, hashes: &[String]) -> Result<(), Problem> {
    let mut known = HashSet::new();
    for hashes in hashes.chunks(CHUNK) {
        let there = voucher::Entity::find()
            .select_only()
            .column(voucher::Column::CodeHash)
            .filter(voucher::Column::RewardId.eq(id))
            .filter(voucher::Column::CodeHash.is_in(hashes));
        known.extend(there.into_tuple::<String>().all(txn).await?);
    }
    let mut first = HashMap::new();
    let wrong = hashes.iter().enumerate().filter_map(|(at, hash)| {
        let detail = if known.contains(hash) {
            "券码已导入过 / imported before".to_owned()
        } else {
            let before = *first.entry(hash).or_insert(at);
            if before == at {
                return None;
            }
            format!("与第 {} 行重复 / the same as line {0}", before + 1)
        };
        Some(FieldError { pointer: format!("/codes/{at}"), code: "duplicate".into(), detail })
    });
    let wrong: Vec<FieldError> = wrong.take(NAMED).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Problem::invalid(wrong)) }
}

/// Gives one free code to a redemption. Whoever comes at the same time takes another row.
pub(super) async fn assign(txn: &DatabaseTransaction, row: &redemption::Model) -> Result<(), Problem> {
    let free = Query::select()
        .column(voucher::Column::Id)
        .from(voucher::Entity)
        .and_where(voucher::Column::RewardId.eq(row.reward_id))
        .and_where(voucher::Column::RedemptionId.is_null())
        .order_by(voucher::Column::Id, sea_orm::sea_query::Order::Asc)
        .limit(1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let assigned = voucher::Entity::update_many()
        .col_expr(voucher::Column::RedemptionId, Expr::value(row.id))
        .filter(voucher::Column::Id.in_subquery(free))
        .filter(voucher::Column::RedemptionId.is_null())
        .exec(txn)
        .await?;
    if assigned.rows_affected == 1 { Ok(()) } else { Err(Code::OutOfStock.into()) }
}

/// Puts a redemption's code back into the pool.
pub(super) async fn release(txn: &DatabaseTransaction, id: RedemptionId) -> Result<(), Problem> {
    let nobody: Option<RedemptionId> = None;
    let freed = voucher::Entity::update_many()
        .col_expr(voucher::Column::RedemptionId, Expr::value(nobody))
        .filter(voucher::Column::RedemptionId.eq(id))
        .exec(txn)
        .await?;
    if freed.rows_affected == 1 {
        return Ok(());
    }
    Err(Problem::from(Code::Internal).caused_by(format!("redemption {id} had no voucher")))
}

/// Shows its owner the code: with the first look the redemption is settled and the points are spent. Every look is audited.
pub(in crate::rewards) async fn show(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: RedemptionId,
) -> Result<(redemption::Model, reward::Model), Problem> {
    let own = redemption::Entity::find_by_id(id).filter(redemption::Column::UserId.eq(actor.user_id));
    let row = own.clone().one(txn).await?.ok_or(Code::NotFound)?;
    let reward = find_reward(txn, row.reward_id).await?;
    if reward.kind != RewardKind::Voucher {
        return Err(Code::NotFound.into());
    }
    let now = state.clock.now();
    let row = match end(txn, id, now, End::Shown, redemption::Column::ExpiresAt.gt(now)).await {
        Ok(row) => {
            books::spend(state, txn, &row, actor.user_id).await?;
            row
        }
        Err(problem) if problem.code() == Code::VoucherShown => own.one(txn).await?.ok_or(Code::Internal)?,
        Err(problem) => return Err(problem),
    };
    redemptions::record(state, txn, actor, "voucher.show", &row).await?;
    Ok((row, reward))
}

/// The code of a redemption that was shown.
pub(in crate::rewards) async fn code_of(
    state: &AppState,
    connection: &impl ConnectionTrait,
    id: RedemptionId,
) -> Result<String, Problem> {
    let shown = redemption::Entity::find_by_id(id).filter(redemption::Column::State.eq(RedemptionState::Settled));
    shown.one(connection).await?.ok_or(Code::NotFound)?;
    let row = voucher::Entity::find().filter(voucher::Column::RedemptionId.eq(id)).one(connection).await?;
    let sealed = row.ok_or(Code::Internal)?.code_cipher;
    state.keys.decrypt(CONTEXT, &sealed).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}
