//! Points: what earns them, the wallet, and who leads the board.
//!
//! - Rules ([`RuleKey`]) say what earns how much; a community sets them in versions that only add. [`earn`] applies the version
//!   in force, the factors of night and holiday ([`domain`]), the day's cap and the community's gift budget, and keeps beside
//!   the award how it came about (`points_earnings`).
//! - [`award`] credits what is computed already, once per (source, rule, person). Both tell the person and count for the
//!   leaderboards in the caller's transaction. Who rewards several people in one transaction goes through them in order of ids.
//! - Staff award by hand within limits: at most 100 a call, and 5,000 a day and member of staff (`award_budgets`); above the
//!   community's limit a second person approves. Any award is taken back at most once (`service::reversal`).
//! - Points expire with China's day (`service::expiry`). Every entry of a wallet says why it is there (`why`).
//! - `points_scores` holds what each person earned in a community in each of four periods, written in the award's own
//!   transaction. It is a copy of the ledger, and `verify` makes it anew. Boards are read from sorted sets that follow it
//!   ([`board`]).
//!
//! Lock order: `award_budgets` row → `points_awards` row → the ledger's (budget → wallet → dedupe key) → `points_days` row →
//! `points_scores` rows by period → a notice's chain.

pub mod board;
pub mod domain;
mod http;
mod service;
mod verify;
mod why;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use board::lower_scores;
pub use domain::Quantity;
pub use entities::points::{Cut, RuleKey};
pub use service::earn::{Earn, Earned, earn};
pub use service::{Award, award};

const EXPIRY: [Schedule; 2] = [
    Schedule {
        name: "points.expire",
        every: Duration::from_mins(10),
        run: |state| async move { service::expiry::expire(&state).await }.boxed_local(),
    },
    Schedule {
        name: "points.remind",
        every: Duration::from_hours(1),
        run: |state| async move { service::expiry::remind(&state).await }.boxed_local(),
    },
];

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "points",
        routes: Some(http::routes),
        jobs: vec![board::REBUILD],
        schedules: [board::SCHEDULES.as_slice(), &EXPIRY].concat(),
        explained: vec![(service::manual::BY_HAND, &why::ByHand)],
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
