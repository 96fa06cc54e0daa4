//! All that rewards ask of the ledger: a redemption's cost is held, and then spent or freed.

use chrono::{DateTime, Duration, Utc};
use entities::ids::{RedemptionId, TransactionId, UserId};
use entities::rewards::{RedemptionState, redemption, reward};
use sea_orm::DatabaseTransaction;

use crate::ledger::{self, Party, Transaction, TransactionKind, Transfer};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Holds a reward's cost in a person's wallet; 409 `insufficient_points` if less is available.
pub(super) async fn hold(
    state: &AppState,
    txn: &DatabaseTransaction,
    (redemption, reward): (RedemptionId, &reward::Model),
    person: UserId,
    at: DateTime<Utc>,
) -> Result<TransactionId, Problem> {
    let hold = Transaction {
        id: ids::ordered(&state.clock),
        community_id: reward.community_id,
        kind: TransactionKind::Redemption,
        transfers: vec![Transfer {
            from: Party::Person(person),
            to: Party::Spent,
            amount: reward.cost,
            expires_at: None,
        }],
        dedupe_key: None,
        reason: &format!("兑换：{}", reward.title),
        actor: Some(person),
        source: ("redemption", redemption.0),
        at,
    };
    ledger::hold(state, txn, &hold).await?;
    Ok(hold.id)
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

/// Frees what a redemption holds. Points that ran out meanwhile can be spent for the community's days of grace.
pub(super) async fn free(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &redemption::Model,
    actor: Option<UserId>,
) -> Result<(), Problem> {
    let grace = Duration::days(places::rules(state, txn, row.community_id).await?.refund_grace_days);
    let freed = if row.state == RedemptionState::Expired {
        ledger::expire_hold(state, txn, row.transfer_id, grace).await?
    } else {
        ledger::void(state, txn, row.transfer_id, actor, grace).await?
    };
    ended(row, freed)
}

/// The hold of a redemption that was still reserved has ended before: never, while `verify` finds nothing.
fn ended(row: &redemption::Model, now: bool) -> Result<(), Problem> {
    if now {
        return Ok(());
    }
    Err(Problem::from(Code::Internal).caused_by(format!("the hold of redemption {} has ended before it", row.id)))
}
