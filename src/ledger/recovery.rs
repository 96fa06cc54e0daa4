//! What a person owes, because a reversal could not take it back, is paid by whatever comes into the wallet next.

use entities::ids::UserId;
use entities::ledger::{LedgerUnit, TransactionKind, TransactionPhase};
use sea_orm::DatabaseTransaction;

use super::accounts::{self, Party, Side};
use super::books::{self, Header, Leg};
use super::lots;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Pays debts from the wallets that a transaction brought something into, in the order of their ids. Whoever calls it holds the
/// wallets' locks.
pub(super) async fn recover(
    state: &AppState,
    txn: &DatabaseTransaction,
    cause: &Header,
    credited: impl Iterator<Item = Side>,
) -> Result<(), Problem> {
    let community = cause.community_id;
    for (wallet, _) in books::totals(credited.map(|side| (side, 0))) {
        let debt = Side::of(community, Party::Debt(UserId(wallet.owner)));
        let owed = -accounts::available(txn, debt.id).await?;
        if owed == 0 {
            continue;
        }
        lots::post_due(state, txn, community, wallet).await?;
        let amount = owed.min(accounts::available(txn, wallet.id).await?);
        if amount == 0 {
            continue;
        }
        let header = Header {
            id: ids::ordered(&state.clock),
            unit: LedgerUnit::Points,
            kind: TransactionKind::Recovery,
            phase: TransactionPhase::Posted,
            pending_id: None,
            reverses_id: None,
            dedupe_key: None,
            reason: "抵扣欠分".to_owned(),
            source: ("transaction".to_owned(), Some(cause.id.0)),
            ..cause.clone()
        };
        let legs = [Leg { debit: wallet, credit: debt, amount, expires_at: None }];
        books::begin(txn, &header, &legs).await?;
        books::carry_out(state, txn, &header, &legs).await?;
        books::take_from_lots(txn, header.id, &legs, None).await?;
    }
    Ok(())
}
