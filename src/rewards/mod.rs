//! Gifts for points: what is offered and by whom, redemptions, pickup codes, vouchers, merchants' statements.
//!
//! - A redemption takes one piece of stock, counts against the person's limit and holds its cost in their wallet, in one
//!   transaction. The person shows a code; a clerk who scans it *settles* the redemption, and the points are spent.
//! - Cancelled or not collected in time ([`service::redemptions::expire_due`], every minute), it gives all three back. Whoever
//!   ends a redemption first has ended it: its state is part of the statement, and the hold can end only once.
//! - A code is another every minute and stored nowhere ([`domain::code`]).
//! - A voucher is a code of somebody else's, with one owner; looking at it is what settles it ([`service::vouchers`]).
//! - What a merchant offers is settled by its own people and by staff of the place; each month it gets a statement.
//!
//! Lock order: redemption row → reward row → the limit's count → the ledger's (wallet) → voucher.

mod books;
pub mod domain;
mod http;
mod service;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use service::vouchers::hash as voucher_hash;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "rewards",
        routes: Some(http::routes),
        schedules: vec![
            Schedule {
                name: "rewards.expire",
                every: Duration::from_mins(1),
                run: |state| async move { Ok(service::redemptions::expire_due(&state).await?) }.boxed_local(),
            },
            Schedule {
                name: "rewards.statements",
                every: Duration::from_mins(10),
                run: |state| async move { service::statements::make_due(&state).await }.boxed_local(),
            },
        ],
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
