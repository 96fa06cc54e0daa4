//! Self-governed funds 自治经费: fees in, subsidies out, books that every resident can read.
//!
//! - A fund is an association's money in its community. A **treasurer** takes money in and proposes what goes out, an
//!   **auditor** confirms it: two people, neither for themself. What was wrong is taken back by the auditor.
//! - Money moves in the community's ledger, between `Party::Fund` of the fund's id and `Party::Outside`; each movement has a
//!   line in the fund's books under the transaction's id. The fund never goes below zero: the ledger's condition decides.
//! - The id of a receipt or an expense is that of its transaction, so that a confirmation moves money once, however often and
//!   by however many it is sent.
//! - Plates are encrypted and masked; the treasurer and the auditor read one in full, which is audited.
//! - Ten minutes after a month is over its books are a notice ([`books`](service::books)); sums only.
//!
//! **Locks**: fund, then the receipt or expense, the ledger's accounts, the board.

pub mod domain;
mod http;
mod service;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use service::{Expense, NewFund, NewReceipt, NewVehicle, VehicleOwner};
pub use service::{confirm, found, keep_vehicle, propose, publish_month, receive, set_tariff};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "funds",
        routes: Some(http::routes),
        schedules: vec![Schedule {
            name: "funds.months",
            every: Duration::from_mins(10),
            run: |state| async move { service::publish_due(&state).await }.boxed_local(),
        }],
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
