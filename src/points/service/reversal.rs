use entities::ids::{AwardId, TransactionId, UserId};
use entities::ledger::{AccountKind, TransactionKind, account, transaction, transfer};
use entities::points::{AwardState, award as manual};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;

use super::manual::{BY_HAND, seen};
use crate::audit;
use crate::identity::{Actor, Permission};
use crate::ledger::{self, Reversal, TakenBack};
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::points::lower_scores;

/// Takes an award by hand back.
pub(in crate::points) async fn of_award(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: AwardId,
    reason: &str,
) -> Result<(manual::Model, TakenBack), Problem> {
    let row = seen(txn, actor, id).await?;
    let entry = match (row.state, row.entry_id) {
        (AwardState::Awarded, Some(entry)) => entry,
        (AwardState::Reversed, _) => return Err(Code::AlreadyReversed.into()),
        _ => return Err(Problem::new(Code::AlreadyDecided, "这笔积分没有发放 / these points were not awarded")),
    };
    let taken = take_back(state, txn, actor, entry, reason).await?;
    let row = manual::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    Ok((row, taken))
}

/// Takes any award back, by its entry in the books. Who may not award in its community does not learn that it exists.
pub(in crate::points) async fn of_entry(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    entry: TransactionId,
    reason: &str,
) -> Result<TakenBack, Problem> {
    let row = transaction::Entity::find_by_id(entry).one(txn).await?;
    let row = row.filter(|row| row.kind == TransactionKind::Award).ok_or(Code::NotFound)?;
    let community = places::find(txn, row.community_id).await?;
    if !actor.may(Permission::AwardPoints, &community.path) {
        return Err(Code::NotFound.into());
    }
    take_back(state, txn, actor, entry, reason).await
}

/// At most once, and never by the person concerned. What is spent already the person owes; what they earn next pays it.
async fn take_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    entry: TransactionId,
    reason: &str,
) -> Result<TakenBack, Problem> {
    let award = transaction::Entity::find_by_id(entry).one(txn).await?.ok_or(Code::NotFound)?;
    let (person, amount) = credited(txn, entry).await?;
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if award.source_kind == BY_HAND {
        // The state in the condition lets one through; behind it the ledger reverses at most once.
        let reversed = manual::Entity::update_many()
            .col_expr(manual::Column::State, AwardState::Reversed.into())
            .col_expr(manual::Column::ReversedBy, actor.user_id.into())
            .col_expr(manual::Column::ReversedAt, state.clock.now().into())
            .col_expr(manual::Column::ReverseReason, Expr::value(reason))
            .filter(manual::Column::EntryId.eq(entry))
            .filter(manual::Column::State.eq(AwardState::Awarded))
            .exec(txn)
            .await?;
        if reversed.rows_affected == 0 {
            return Err(Code::AlreadyReversed.into());
        }
    }
    let text = format!("撤回：{}（{reason}）", award.reason);
    let id: TransactionId = ids::ordered(&state.clock);
    let reversal = Reversal { id, of: entry, reason: &text, actor: Some(actor.user_id) };
    let taken = ledger::reverse(state, txn, &reversal).await?.ok_or(Code::AlreadyReversed)?;
    lower_scores(txn, award.community_id, person, amount, award.created_at).await?;
    let detail = json!({ "user_id": person, "amount": amount, "owed": taken.owed, "reason": reason });
    let target = ("ledger_transaction", entry.0);
    audit::record(state, txn, Some(actor.user_id), "points.reverse", target, Some(award.community_id), detail).await?;
    let owed = match taken.owed {
        0 => String::new(),
        owed => format!("其中{owed}分已使用，将从以后的积分中抵扣。"),
    };
    let message = Message {
        kind: "points.reversed",
        title: format!("积分撤回：-{amount}"),
        body: format!("{}。原因：{reason}。{owed}", award.reason),
        target: Some(("points_entry", id.0)),
        dedupe_key: format!("points.reversed:{entry}"),
        template: Template::Points,
    };
    notifications::tell(state, txn, person, &message).await?;
    Ok(taken)
}

/// Whose wallet a transaction brought how much into.
async fn credited(txn: &DatabaseTransaction, entry: TransactionId) -> Result<(UserId, i64), Problem> {
    let transfers = transfer::Entity::find().filter(transfer::Column::TransactionId.eq(entry)).all(txn).await?;
    let wallet = account::Entity::find()
        .filter(account::Column::Id.is_in(transfers.iter().map(|one| one.credit_id)))
        .filter(account::Column::Kind.eq(AccountKind::Wallet))
        .one(txn)
        .await?
        .ok_or(Code::Internal)?;
    let amount = transfers.iter().filter(|one| one.credit_id == wallet.id).map(|one| one.amount).sum();
    Ok((UserId(wallet.owner_id), amount))
}
