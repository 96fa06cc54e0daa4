//! Double-entry books in integer amounts.
//!
//! - A movement is ONE row of `ledger_transfers`, which debits one account and credits another by the same amount: whatever
//!   is posted sums to zero by construction. Rows are only ever added (a trigger).
//! - A *hold* ([`hold`]) is a row of phase `pending`: it reserves the amount. It ends at most once, by a row of phase `post`
//!   (the amount moves) or `void` (it is free again) that names it: `pending_id` is unique.
//! - A *wallet* is a person's account in one community, made at its first use. Its row carries what the transfers add up to,
//!   `posted` and `reserved`; available is their difference, never below zero: the condition of the statement that changes
//!   them decides, and a CHECK stands behind it.
//! - The community's own accounts, where points come from and where spent ones go, carry no balance. Every movement touches
//!   one of them, so that a balance there would make all wait for one row; [`verify`] and reports sum the transfers instead.
//!
//! Locks are taken in this order: the transfer's dedupe key, then wallets by account id. Who moves for several people in one
//! transaction goes through them in order of their ids.

mod service;
mod verify;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use entities::ledger::transfer::Model as Transfer;
pub use entities::ledger::{TransferKind, TransferPhase};
pub use service::{Balance, Movement, Party, account_id, balance, entries, hold, post, transfer, void};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "ledger", verify: Some(|state| verify::run(state).boxed_local()), ..Capability::default() }
}
