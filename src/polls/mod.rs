//! Polls 表决: a place asks its verified residents; each votes once; the result is counted at closing and put on the board.
//!
//! - [`domain`] holds what makes a poll and a ballot valid, [`count`] what makes a result of ballots: both pure.
//! - *Opening* freezes the electorate ([`freeze`]): one statement copies the place's verified residents into `poll_electors`.
//!   A job then tells them, batch by batch.
//! - *Voting* is an insert into `poll_participations` (its primary key: once; its reference: electors only) and one into
//!   `poll_ballots`, in one transaction.
//! - *Closing* counts, stores the result with an explanation and publishes a notice. Nothing of the count is shown before.
//!
//! Lock order: the poll's row, then (at closing) what it is about, then the community's notice head. Voting shares the poll's row (`FOR KEY SHARE`),
//! opening and closing take it alone (`FOR UPDATE`), so that every acknowledged ballot is in the count and none comes after it.
//! A poll whose voting has ended is no longer shared, and closing by hand ends the voting first: closing never starves.
//!
//! A later way of voting adds a kind, its rules in [`domain::Rules::check`] and a count; a later electorate adds another
//! statement to [`freeze`]; voting and closing stay as they are.
//!
//! Secrecy: of a secret poll the participation knows the person and no time, the ballot neither; nothing links the two, and
//! they are kept in the order of the person's id and of a random one. That holds against everybody who uses the API and
//! against a reader of the tables' content, not against whoever runs the database: PostgreSQL's row versions (`xmin`,
//! `ctid`), its write-ahead log and the server's access log still tell which rows were written together.

mod ballot;
mod calendar;
pub mod count;
pub mod domain;
mod http;
mod service;
mod standing;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use service::{NewPoll, ask, create, freeze};
pub use standing::{Standing, standings};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "polls",
        routes: Some(http::routes),
        jobs: vec![(calendar::INVITE, |state, payload| calendar::invite(state, payload).boxed_local())],
        schedules: vec![Schedule {
            name: "polls.calendar",
            every: Duration::from_secs(3),
            run: |state| calendar::run(state).boxed_local(),
        }],
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
