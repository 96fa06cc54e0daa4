//! All that rewards ask of the ledger: a redemption's cost is held, and then spent or freed.

use chrono::{DateTime, Utc};
use entities::ids::{RedemptionId, TransferId, UserId};
use entities::rewards::{redemption, reward};
use sea_orm::DatabaseTransaction;

use crate::ledger::{self, Movement, Party, TransferKind};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Holds a reward's cost in a person's wallet; 409 `insufficient_points` if less is available.
pub(super) async fn hold(
    state: &AppState,
    txn: &DatabaseTransaction,
    (redemption, reward): (RedemptionId, &reward::Model),
    person: UserId,
    at: DateTime<Utc>,
) -> Result<TransferId, Problem> {
    let movement = Movement {
        community_id: reward.community_id,
        from: Party::Person(person),
        to: Party::Spent,
        amount: reward.cost,
        kind: TransferKind::Redemption,
        dedupe_key: None,
        reason: &format!("兑换：{}", reward.title),
        actor: Some(person),
        source: ("redemption", redemption.0),
        at,
    };
    ledger::hold(state, txn, &movement).await
}

/// Spends what a redemption holds.
pub(super) async fn spend(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &redemption::Model,
    actor: UserId,
) -> Result<(), Problem> {
    ended(row, ledger::post(state, txn, row.transfer_id, Some(actor)).await?)
}

/// Frees what a redemption holds.
pub(super) async fn free(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &redemption::Model,
    actor: Option<UserId>,
) -> Result<(), Problem> {
    ended(row, ledger::void(state, txn, row.transfer_id, actor).await?)
}

/// The hold of a redemption that was still reserved has ended before: never, while `verify` finds nothing.
fn ended(row: &redemption::Model, now: bool) -> Result<(), Problem> {
    if now {
        return Ok(());
    }
    Err(Problem::from(Code::Internal).caused_by(format!("the hold of redemption {} has ended before it", row.id)))
}
