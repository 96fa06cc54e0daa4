//! A programme's money: where it comes from, and what it is given to.

use entities::ids::{ProjectId, TransactionId};
use entities::programmes::programme;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::identity::Actor;
use crate::ledger::{self, Party, Reversal, Transaction, TransactionKind, Transfer};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// The word for a programme in the books, on the board and in the log.
pub(super) const KIND: &str = "programme";

/// Moves money in the books of a programme's place; each of all with one key once.
async fn transfer(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: Option<&Actor>,
    row: &programme::Model,
    what: (TransactionKind, Party, Party, i64),
    (source, key, reason): ((&str, Uuid), Option<String>, &str),
) -> Result<TransactionId, Problem> {
    let (kind, from, to, amount) = what;
    let transaction = Transaction {
        id: ids::ordered(&state.clock),
        community_id: row.place_id,
        kind,
        transfers: vec![Transfer { from, to, amount, expires_at: None }],
        dedupe_key: key,
        reason,
        actor: actor.map(|actor| actor.user_id),
        source,
        at: state.clock.now(),
    };
    if ledger::record(state, txn, &transaction).await? { Ok(transaction.id) } else { Err(Code::AlreadyDecided.into()) }
}

/// Where a programme's money comes from and goes back to.
fn source_of(row: &programme::Model) -> Party {
    row.parent_id.map_or(Party::Outside, |parent| Party::Fund(parent.0))
}

/// Brings money into a programme's fund: its budget (once, by the key), or more of it. 409 `insufficient_funds` if the programme
/// that it is a part of cannot pay for it.
pub(super) async fn receive(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &programme::Model,
    (amount, reason): (i64, &str),
    key: Option<String>,
) -> Result<TransactionId, Problem> {
    let kind = if row.parent_id.is_some() { TransactionKind::Budget } else { TransactionKind::Receipt };
    let what = (kind, source_of(row), Party::Fund(row.id.0), amount);
    transfer(state, txn, Some(actor), row, what, ((KIND, row.id.0), key, reason)).await
}

/// Gives what is left in a programme's fund back to where it came from; says how much that was, if anything.
pub(super) async fn clear(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: Option<&Actor>,
    row: &programme::Model,
) -> Result<Option<(TransactionId, i64)>, Problem> {
    let left = ledger::fund_balance(txn, row.place_id, row.id.0).await?.available();
    if left > 0 {
        let kind = if row.parent_id.is_some() { TransactionKind::Budget } else { TransactionKind::Payment };
        let what = (kind, Party::Fund(row.id.0), source_of(row), left);
        let reason = format!("资助计划结束，余额退回：{}", row.title);
        let transaction = transfer(state, txn, actor, row, what, ((KIND, row.id.0), None, &reason)).await?;
        return Ok(Some((transaction, left)));
    }
    Ok(None)
}

/// Gives a project its money, once; 409 `insufficient_funds` if the programme cannot. The transaction is what [`give_back`] takes back.
pub async fn commit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &programme::Model,
    (project, title): (ProjectId, &str),
    amount: i64,
) -> Result<TransactionId, Problem> {
    let what = (TransactionKind::Budget, Party::Fund(row.id.0), Party::Fund(project.0), amount);
    let key = format!("programme.commit:{project}");
    transfer(
        state,
        txn,
        Some(actor),
        row,
        what,
        (("project", project.0), Some(key), &format!("项目入选，划定经费：{title}")),
    )
    .await
}

/// Takes back what was committed to a project that will not be carried out: all of it, at most once.
pub async fn give_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    commitment: TransactionId,
    reason: &str,
) -> Result<(), Problem> {
    let reversal = Reversal { id: ids::ordered(&state.clock), of: commitment, reason, actor: Some(actor.user_id) };
    ledger::reverse(state, txn, &reversal).await?.map(drop).ok_or_else(|| Code::AlreadyReversed.into())
}
