use entities::ids::PlaceId;
use entities::ledger::TransactionKind;
use sea_orm::DatabaseTransaction;
use serde_json::json;
use uuid::Uuid;

use crate::audit;
use crate::identity::{Actor, Permission};
use crate::ledger::{self, Party, Transaction, Transfer};
use crate::notices::{self, Notice};
use crate::places::Place;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Staff raise what a community may give away: from the first time on no more points come into being than that. A notice says so.
pub(in crate::points) async fn raise(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (place, community): (&Place, PlaceId),
    amount: i64,
    reason: &str,
) -> Result<i64, Problem> {
    actor.require(Permission::ManageSettings, &place.path)?;
    if place.id != community {
        return Err(Problem::field("/place_id", "预算属于社区 / a budget belongs to a community"));
    }
    let id: Uuid = ids::ordered(&state.clock);
    let raise = Transaction {
        id: ids::ordered(&state.clock),
        community_id: community,
        kind: TransactionKind::Budget,
        transfers: vec![Transfer { from: Party::Issuance, to: Party::Budget, amount, expires_at: None }],
        dedupe_key: None,
        reason,
        actor: Some(actor.user_id),
        source: ("points_budget", id),
        at: state.clock.now(),
    };
    ledger::record(state, txn, &raise).await?;
    let available = ledger::budget(txn, community).await?.ok_or(Code::Internal)?;
    let detail = json!({ "amount": amount, "available": available });
    let target = ("points_budget", id);
    audit::record(state, txn, Some(actor.user_id), "points.budget", target, Some(community), detail).await?;
    let notice = Notice {
        community_id: community,
        kind: "points.budget",
        title: format!("积分预算增加 {amount} 分"),
        body: format!("{reason}。目前还可发放 {available} 分。"),
        subject: Some(target),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(available)
}
