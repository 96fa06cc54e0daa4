//! Tenders 招标: organisations compete for a selected project with sealed bids; one is awarded, in public, and gets a contract.
//!
//! - A *bid* is encrypted when it is handed in, and kept without a name: a keyed hash keeps an organisation to one ([`sealing`]).
//!   Its price, its text and its bidder come into the tables when two people of the programme open the tender, after closing.
//!   Until then nothing tells of it: no list, no audit row, no stored answer, no inbox entry.
//! - Whether a bid is late is decided by one reading of the clock after the tender's row is locked: what was accepted is in the
//!   opening, what was refused is not.
//! - The *panel* scores valid bids; [`domain::rank`] makes points of scores and prices.
//! - An *award* is a notice first. When its window is over without an objection that stands, staff draw a *contract* up from the
//!   bid; when both have signed, its price moves from the project's fund to the contract's and the rest back to the programme.
//! - A *milestone* that is accepted is paid once, out of the contract's fund ([`pay`]).
//!
//! Sealing keeps bids from everybody who uses the API, from who reads the tables or a backup, and from staff. It does not keep
//! them from an operator who holds the server's keys.
//!
//! Lock order: project, tender, organisations by id, bids, contract, milestones, money, notices.

pub mod domain;
mod http;
mod sealing;
mod service;
mod verify;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use domain::{Bid, Indicator, Term};
pub use service::contracts::{contract_of, contract_of_milestone, lock_milestone};
pub(crate) use service::contracts::{draw, milestones_of, sign};
pub use service::money::{balance, pay, settle};
pub(crate) use service::tenders::{NewTender, answer, ask, create};
pub(crate) use service::{awards, bids, changes, opening, scoring};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "tenders",
        routes: Some(http::routes),
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
