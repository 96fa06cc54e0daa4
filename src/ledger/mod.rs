//! Double-entry books in integer amounts: points, and money in fen.
//!
//! - A **transaction** ([`record`]) is a header with one or more transfers. A transfer debits one account and credits another
//!   by the same amount, so that whatever is posted sums to zero by construction. Its id is made by the caller: a repetition
//!   changes nothing, and one that says something else is an error. Rows are only ever added (triggers).
//! - A **hold** ([`hold`]) reserves. It ends once, by a transaction that names it: [`post`], [`void`] or [`expire_hold`].
//! - **Accounts** ([`Party`]) that can run out carry what their transfers add up to, and a floor below which what is available
//!   never goes: the condition of the statement that changes them decides, and a CHECK stands behind it. Accounts that every
//!   movement touches (where points come from and go to) carry no balance: it would be the row all wait for.
//! - **Lots**: what comes into a wallet is a lot that may run out. What is spent comes out of the soonest; a hold that ends
//!   without being posted gives back to its lots; what has run out is posted as expired ([`expire_due`]) before anything else
//!   is taken. A wallet's available points are what its lots still hold.
//! - A **reversal** ([`reverse`]) takes back a transaction, at most once. What a wallet cannot give stands in the person's debt
//!   account, and whatever comes into the wallet next pays it: who owes has nothing available.
//!
//! Locks are taken in this order: the transaction's id or key (its header), then accounts that keep a balance: those that many
//! share (a budget, a fund), then people's, each by id; [`lock_for_award`] takes them before the header. A wallet's
//! lock covers its lots and what its person owes. Who moves for several people in several transactions of one database
//! transaction goes through them in order of their ids.
//!
//! [`accounts`] balances · `books` writing · [`record`] entering and ending holds · [`lots`] · `recovery` · [`reversal`] · [`entries`] · [`funds`]

mod accounts;
mod books;
mod entries;
mod funds;
mod lots;
mod record;
mod recovery;
mod reversal;
mod verify;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use accounts::{Balance, Party, account_id, balance, budget, lock_for_award};
pub use entities::ledger::{TransactionKind, TransactionPhase};
pub use entries::{Effect, Entry, effects, entries};
pub use funds::{FundBalance, FundEntry, fund_balance, fund_balances, fund_entries};
pub use lots::expire_due;
pub use record::{Transaction, Transfer, expire_hold, hold, post, record, void};
pub use reversal::{Reversal, TakenBack, reverse};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "ledger", verify: Some(|state| verify::run(state).boxed_local()), ..Capability::default() }
}
