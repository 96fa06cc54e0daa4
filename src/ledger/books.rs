//! Writing a transaction: its header, its transfers, and what both mean for accounts and lots. Everything that moves ends here.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entities::ids::{AccountId, PlaceId, TransactionId, TransferId, UserId};
use entities::ledger::{LedgerUnit, TransactionKind, TransactionPhase, account, transaction, transfer};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::accounts::{Changes, Side};
use super::lots;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A transfer that is to be written.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub debit: Side,
    pub credit: Side,
    pub amount: i64,
    /// When what it brings into a wallet runs out.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a header says.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub id: TransactionId,
    pub unit: LedgerUnit,
    pub community_id: PlaceId,
    pub kind: TransactionKind,
    pub phase: TransactionPhase,
    pub pending_id: Option<TransactionId>,
    pub reverses_id: Option<TransactionId>,
    pub dedupe_key: Option<String>,
    pub reason: String,
    pub actor_id: Option<UserId>,
    pub source: (String, Option<Uuid>),
    pub at: DateTime<Utc>,
}

/// Adds the header unless one has its id, its key, or ends or reverses the same; whoever comes at the same time waits for the
/// other's end. Of all of them one gets true.
pub(super) async fn begin(txn: &DatabaseTransaction, header: &Header, legs: &[Leg]) -> Result<bool, Problem> {
    let header = header.clone();
    let row = transaction::ActiveModel {
        id: Set(header.id),
        unit: Set(header.unit),
        community_id: Set(header.community_id),
        kind: Set(header.kind),
        phase: Set(header.phase),
        pending_id: Set(header.pending_id),
        reverses_id: Set(header.reverses_id),
        transfers: Set(i64::try_from(legs.len()).unwrap_or(i64::MAX)),
        dedupe_key: Set(header.dedupe_key),
        reason: Set(header.reason),
        actor_id: Set(header.actor_id),
        source_kind: Set(header.source.0),
        source_id: Set(header.source.1),
        created_at: Set(header.at),
    };
    let nothing = OnConflict::new().do_nothing().to_owned();
    Ok(transaction::Entity::insert(row).on_conflict(nothing).exec_without_returning(txn).await? == 1)
}

/// Changes the balances as the phase says, and adds the transfers, whose ids it returns. The first has its transaction's id.
pub(super) async fn carry_out(
    state: &AppState,
    txn: &DatabaseTransaction,
    header: &Header,
    legs: &[Leg],
) -> Result<Vec<TransferId>, Problem> {
    let mut changes = Changes::default();
    for Leg { debit, credit, amount, .. } in legs {
        match header.phase {
            TransactionPhase::Posted => changes.add(*debit, -amount, 0),
            TransactionPhase::Pending => changes.add(*debit, 0, *amount),
            TransactionPhase::Post => changes.add(*debit, -amount, -amount),
            TransactionPhase::Void | TransactionPhase::Expire => changes.add(*debit, 0, -amount),
        }
        if matches!(header.phase, TransactionPhase::Posted | TransactionPhase::Post) {
            changes.add(*credit, *amount, 0);
        }
    }
    changes.apply(txn).await?;
    let ids: Vec<TransferId> =
        (0..legs.len()).map(|at| if at == 0 { TransferId(header.id.0) } else { ids::ordered(&state.clock) }).collect();
    let rows = ids.iter().zip(legs).map(|(id, leg)| transfer::ActiveModel {
        id: Set(*id),
        transaction_id: Set(header.id),
        unit: Set(header.unit),
        community_id: Set(header.community_id),
        debit_id: Set(leg.debit.id),
        credit_id: Set(leg.credit.id),
        amount: Set(leg.amount),
    });
    transfer::Entity::insert_many(rows).exec_without_returning(txn).await?;
    Ok(ids)
}

/// What a transaction takes out of wallets leaves their lots: those of `first` before others, then the soonest.
pub(super) async fn take_from_lots(
    txn: &DatabaseTransaction,
    id: TransactionId,
    legs: &[Leg],
    first: Option<TransactionId>,
) -> Result<(), Problem> {
    for (wallet, amount) in totals(legs.iter().map(|leg| (leg.debit, leg.amount))) {
        lots::take(txn, id, wallet.id, amount, first).await?;
    }
    Ok(())
}

/// What a transaction brings into wallets makes lots, one a transfer.
pub(super) async fn make_lots(
    txn: &DatabaseTransaction,
    ids: &[TransferId],
    legs: &[Leg],
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let credits = ids.iter().zip(legs).filter(|(_, leg)| leg.credit.is_wallet());
    lots::make(txn, credits.map(|(id, leg)| (*id, leg.credit.id, leg.amount, leg.expires_at)), at).await
}

/// The wallets among some sides, each once, in the order of their ids, with what it is about in each.
pub(super) fn totals(sides: impl IntoIterator<Item = (Side, i64)>) -> Vec<(Side, i64)> {
    let mut wallets: BTreeMap<AccountId, (Side, i64)> = BTreeMap::new();
    for (side, amount) in sides.into_iter().filter(|(side, _)| side.is_wallet()) {
        wallets.entry(side.id).or_insert((side, 0)).1 += amount;
    }
    wallets.into_values().collect()
}

/// The transfers of a transaction as they were written.
pub(super) async fn legs_of(txn: &DatabaseTransaction, id: TransactionId) -> Result<Vec<Leg>, Problem> {
    let transfers = transfer::Entity::find()
        .filter(transfer::Column::TransactionId.eq(id))
        .order_by_asc(transfer::Column::Id)
        .all(txn)
        .await?;
    let ids = transfers.iter().flat_map(|row| [row.debit_id, row.credit_id]);
    let accounts = account::Entity::find().filter(account::Column::Id.is_in(ids)).all(txn).await?;
    let side = |id| accounts.iter().find(|row| row.id == id).map(Side::from).ok_or(Code::Internal);
    let leg = |row: transfer::Model| {
        Ok(Leg { debit: side(row.debit_id)?, credit: side(row.credit_id)?, amount: row.amount, expires_at: None })
    };
    transfers.into_iter().map(leg).collect()
}

/// The books say something that they cannot say while `verify` finds nothing.
pub(super) fn disagree(what: impl std::fmt::Display) -> Problem {
    Problem::from(Code::Internal).caused_by(format!("ledger: {what}"))
}
