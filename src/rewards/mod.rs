//! Gifts for points: stock, redemptions, pickup codes.
//!
//! - A redemption takes one piece of stock and holds its cost in the person's wallet, in one transaction. The person gets a
//!   pickup code; a clerk who scans it *settles* the redemption, and the points are spent.
//! - Cancelled or not collected in time ([`service::expire_due`], every minute), it gives both back. Whoever ends a
//!   redemption first has ended it: its state is part of the statement, and the hold can end only once.
//! - The code is an HMAC of the redemption's id ([`domain`]): it is derived whenever its owner looks, and only a keyed hash of
//!   it is stored, to find it by.
//!
//! Lock order: redemption row → reward row → the ledger's (wallet).

pub mod domain;
mod http;
mod service;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "rewards",
        routes: Some(http::routes),
        schedules: vec![Schedule {
            name: "rewards.expire",
            every: Duration::from_mins(1),
            run: |state| async move { Ok(service::expire_due(&state).await?) }.boxed_local(),
        }],
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
