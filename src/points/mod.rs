//! Points: what people earn, their wallet, and who leads the board.
//!
//! - [`award`] credits a wallet once per (source, rule, person), tells the person and counts for the leaderboards, all in
//!   the caller's transaction. Who awards to several people in one transaction goes through them in order of their ids.
//! - Staff award by hand within limits: at most 100 a call, and 5,000 a day and member of staff (`award_budgets`). The day
//!   and the boards' periods are China's ([`domain`]).
//! - `points_scores` holds what each person earned in a community in each of four periods, written in the award's own
//!   transaction. It is a copy of the ledger, and `verify` makes it anew. Boards are read from sorted sets that follow it
//!   ([`board`]).
//!
//! Lock order: `award_budgets` row → the ledger's (dedupe key → wallet) → `points_scores` rows by period.

pub mod board;
pub mod domain;
mod http;
mod service;
mod verify;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use board::lower_scores;
pub use domain::Quantity;
pub use entities::points::{Cut, RuleKey};
pub use service::earn::{Earn, Earned, earn};
pub use service::{Award, award};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "points",
        routes: Some(http::routes),
        jobs: vec![board::REBUILD],
        schedules: board::SCHEDULES.to_vec(),
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
