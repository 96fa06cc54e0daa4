//! Lots: what a wallet can spend, by when it runs out. A wallet's lock covers its lots and what its person owes: every function
//! here is called by somebody who holds it, but for [`expire_due`], which takes it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entities::ids::{AccountId, PlaceId, TransactionId, TransferId};
use entities::ledger::{LedgerUnit, TransactionKind, TransactionPhase, lot};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::accounts::{self, Party, Side};
use super::books::{self, Header, Leg};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

#[derive(FromQueryResult)]
struct Amount {
    amount: i64,
}

fn statement(txn: &DatabaseTransaction, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(txn.get_database_backend(), sql, values)
}

/// Adds lots: transfer, wallet, amount, and when it runs out.
pub(super) async fn make(
    txn: &DatabaseTransaction,
    credits: impl Iterator<Item = (TransferId, AccountId, i64, Option<DateTime<Utc>>)>,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let rows: Vec<_> = credits
        .map(|(id, wallet, amount, expires_at)| lot::ActiveModel {
            id: Set(id),
            wallet_id: Set(wallet),
            amount: Set(amount),
            remaining: Set(amount),
            expires_at: Set(expires_at),
            created_at: Set(at),
        })
        .collect();
    if !rows.is_empty() {
        lot::Entity::insert_many(rows).exec_without_returning(txn).await?;
    }
    Ok(())
}

/// What is taken from each lot: they lie one after the other, and the amount over them.
const TAKE: &str = "
    INSERT INTO ledger_lot_moves (transaction_id, lot_id, amount)
    SELECT $1, id, CASE WHEN earlier + remaining < $3 THEN -remaining ELSE earlier - $3 END
    FROM (
        SELECT id, remaining, CAST(SUM(remaining) OVER (ORDER BY turn, expires_at NULLS LAST, id) - remaining AS bigint) AS earlier
        FROM (
            SELECT l.id, l.remaining, l.expires_at, CASE WHEN l.id IN (
                SELECT t.id FROM ledger_transfers t WHERE t.transaction_id = $4) THEN 0 ELSE 1 END AS turn
            FROM ledger_lots l WHERE l.wallet_id = $2 AND l.remaining > 0
        ) AS open
    ) AS laid
    WHERE earlier < $3
    RETURNING amount";

/// Carries a transaction's moves over to the lots of a wallet. Who gets something back has until `$3` to spend it.
const MOVE: &str = "
    UPDATE ledger_lots
    SET remaining = ledger_lots.remaining + m.amount,
        expires_at = CASE WHEN m.amount > 0 AND ledger_lots.expires_at < $3 THEN $3 ELSE ledger_lots.expires_at END
    FROM ledger_lot_moves m
    WHERE m.transaction_id = $1 AND m.lot_id = ledger_lots.id AND ledger_lots.wallet_id = $2";

/// Takes an amount from a wallet's lots: those that the transaction `first` made, then the soonest to run out.
pub(super) async fn take(
    txn: &DatabaseTransaction,
    transaction: TransactionId,
    wallet: AccountId,
    amount: i64,
    first: Option<TransactionId>,
) -> Result<(), Problem> {
    let first = first.map_or(Uuid::nil(), |id| id.0);
    let sql = statement(txn, TAKE, [transaction.into(), wallet.into(), amount.into(), first.into()]);
    let taken: i64 = Amount::find_by_statement(sql).all(txn).await?.iter().map(|row| row.amount).sum();
    if taken != -amount {
        return Err(books::disagree(format!("the lots of wallet {wallet} gave {} of {amount}", -taken)));
    }
    carry_over(txn, transaction, wallet, None).await
}

/// Gives back to a wallet's lots what a hold took from them. What has run out meanwhile, or does so soon, is good for the grace
/// from now on.
pub(super) async fn give_back(
    txn: &DatabaseTransaction,
    ending: TransactionId,
    hold: TransactionId,
    wallet: AccountId,
    until: DateTime<Utc>,
) -> Result<(), Problem> {
    let sql = "
        INSERT INTO ledger_lot_moves (transaction_id, lot_id, amount)
        SELECT $1, m.lot_id, -m.amount FROM ledger_lot_moves m JOIN ledger_lots l ON l.id = m.lot_id
        WHERE m.transaction_id = $2 AND l.wallet_id = $3";
    txn.execute_raw(statement(txn, sql, [ending.into(), hold.into(), wallet.into()])).await?;
    carry_over(txn, ending, wallet, Some(until)).await
}

async fn carry_over(
    txn: &DatabaseTransaction,
    transaction: TransactionId,
    wallet: AccountId,
    until: Option<DateTime<Utc>>,
) -> Result<(), Problem> {
    txn.execute_raw(statement(txn, MOVE, [transaction.into(), wallet.into(), until.into()])).await?;
    Ok(())
}

/// Posts the expiry of what has run out in a wallet, and says how much that was: nothing if it is done. Any number may call it
/// at once.
pub async fn expire_due(state: &AppState, txn: &DatabaseTransaction, wallet: AccountId) -> Result<i64, Problem> {
    match accounts::lock(txn, [wallet]).await?.first() {
        Some(row) => post_due(state, txn, row.community_id, row.into()).await,
        None => Ok(0),
    }
}

/// [`expire_due`] for who holds the wallet's lock: before something is taken from it, so that nothing expired is spent whether
/// or not the schedule ran.
pub(super) async fn post_due(
    state: &AppState,
    txn: &DatabaseTransaction,
    community: PlaceId,
    wallet: Side,
) -> Result<i64, Problem> {
    let now = state.clock.now();
    let sql = "
        SELECT CAST(COALESCE(SUM(remaining), 0) AS bigint) AS amount FROM ledger_lots
        WHERE wallet_id = $1 AND remaining > 0 AND expires_at <= $2";
    let due = Amount::find_by_statement(statement(txn, sql, [wallet.id.into(), now.into()])).one(txn).await?;
    let amount = due.map_or(0, |due| due.amount);
    if amount == 0 {
        return Ok(0);
    }
    let header = Header {
        id: ids::ordered(&state.clock),
        unit: LedgerUnit::Points,
        community_id: community,
        kind: TransactionKind::Expiry,
        phase: TransactionPhase::Posted,
        pending_id: None,
        reverses_id: None,
        dedupe_key: None,
        reason: "积分到期".to_owned(),
        actor_id: None,
        source: ("wallet".to_owned(), Some(wallet.id.0)),
        at: now,
    };
    let expired = Side::of(community, Party::Expired);
    let legs = [Leg { debit: wallet, credit: expired, amount, expires_at: None }];
    accounts::open(txn, community, [expired], now).await?;
    books::begin(txn, &header, &legs).await?;
    books::carry_out(state, txn, &header, &legs).await?;
    let sql = "
        INSERT INTO ledger_lot_moves (transaction_id, lot_id, amount)
        SELECT $1, id, -remaining FROM ledger_lots WHERE wallet_id = $2 AND remaining > 0 AND expires_at <= $3";
    txn.execute_raw(statement(txn, sql, [header.id.into(), wallet.id.into(), now.into()])).await?;
    carry_over(txn, header.id, wallet.id, None).await?;
    Ok(amount)
}

/// How much has expired of the lots that a transaction made, by wallet.
pub(super) async fn expired_of(
    txn: &DatabaseTransaction,
    made_by: TransactionId,
) -> Result<BTreeMap<AccountId, i64>, Problem> {
    #[derive(FromQueryResult)]
    struct Row {
        wallet_id: AccountId,
        amount: i64,
    }
    let sql = "
        SELECT t.credit_id AS wallet_id, CAST(SUM(-m.amount) AS bigint) AS amount
        FROM ledger_transfers t
        JOIN ledger_lot_moves m ON m.lot_id = t.id
        JOIN ledger_transactions x ON x.id = m.transaction_id
        WHERE t.transaction_id = $1 AND x.kind = 'expiry'
        GROUP BY t.credit_id";
    let rows = Row::find_by_statement(statement(txn, sql, [made_by.into()])).all(txn).await?;
    Ok(rows.into_iter().map(|row| (row.wallet_id, row.amount)).collect())
}
