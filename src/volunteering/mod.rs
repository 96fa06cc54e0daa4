//! Activities, shifts, sign-ups, presence and service minutes.
//!
//! Staff create an *activity* with *shifts*: half-open times with a number of seats and a leader. A verified resident of the
//! community signs up and gets a seat, or a place in the waiting list. A seat that becomes free is offered to the first who
//! waits, for a limited time. Who came is recorded by the rotating code on the leader's screen or by the leader's mark;
//! somebody else confirms the minutes, and points arrive with them, once. Confirmed minutes are sealed.
//!
//! - [`domain`] holds the states a sign-up goes through as one table, and the arithmetic.
//! - `service::seats` gives and hands on seats, `service::presence` records who came and when, `service::credit` turns that into
//!   minutes, points and a notice, `service::corrections` puts other figures beside sealed ones, `service::records` reads it all.
//!
//! An activity may have *sessions* too, for participants: `service::participants`.
//!
//! **Locks** are taken in this order: person, shift, sign-ups, then what [`points`](crate::points) locks. Whoever changes the
//! number of seats taken or the waiting list holds the shift's row: so seats and queue agree, and the queue is in the order of
//! the clock. The rest is decided by the state in the condition of each update.

mod domain;
mod explained;
mod http;
mod rules;
mod service;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};
use crate::teams;

pub use entities::volunteering::SignupState;
pub use service::records::{ServiceRecord, credited, served_minutes};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "volunteering",
        routes: Some(http::routes),
        jobs: vec![(teams::LEADER_CHANGED, |state, payload| {
            async move { service::changes::follow_leader(&state, serde_json::from_value(payload)?).await }.boxed_local()
        })],
        schedules: vec![
            Schedule {
                name: "volunteering.lapse",
                every: Duration::from_secs(30),
                run: |state| async move { service::seats::lapse_all(&state).await }.boxed_local(),
            },
            Schedule {
                name: "volunteering.forgotten",
                every: Duration::from_mins(10),
                run: |state| async move { service::presence::forgotten(&state).await }.boxed_local(),
            },
            Schedule {
                name: "volunteering.requests",
                every: Duration::from_mins(1),
                run: |state| async move { service::exchange::lapse_requests(&state).await }.boxed_local(),
            },
            Schedule {
                name: "volunteering.unmarked",
                every: Duration::from_mins(10),
                run: |state| async move { service::absence::remind(&state).await }.boxed_local(),
            },
        ],
        explained: vec![(explained::KIND, &explained::Signups)],
        verify: Some(|state| verify::findings(state).boxed_local()),
        ..Capability::default()
    }
}
