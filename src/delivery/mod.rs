//! Delivery 实施: milestones, reports, service records, supervision visits and findings.
//!
//! - A *service* is what was done for people. Its people stand in the project's *register*, one row a person by a keyed hash of
//!   their number or of name and door, so that however often somebody comes they count as one person; those whom nobody knows are
//!   *heads*, who count as person-times only. One person records, another confirms; then it is sealed by triggers, and another
//!   figure can only stand beside it. A project's [`figures`] are counted anew each time.
//! - A *milestone* goes from evidence to acceptance to payment by the table in [`domain::states`]: the implementer hands in, the
//!   supervisor states, staff decide, another officer pays. Constraints hold the people apart.
//! - A *visit* of the supervisor leaves *findings*; each is rectified and checked, reminded of before its day and escalated after
//!   it, once. A trigger refuses the completion of a project while one is open, a milestone is not accepted, or the last report
//!   is missing.
//!
//! Lock order: project, contract, milestone, money, notices. Whatever is handed in locks its project.

pub mod domain;
mod http;
mod service;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use domain::counts::{Cell, Figures};
pub use entities::delivery::ServiceKind;
pub(crate) use service::closing;
pub use service::closing::complete;
pub use service::figures::figures;
pub use service::handing_in::{groups_of, indicators_of};
pub use service::milestones::{is_owed, yuan};
pub use service::recording::{Attendee, NewService, record_session};
pub use service::register::was_served;
pub(crate) use service::register::{Identity, Someone};
pub use service::{Standing, find, people_of, standing};
pub(crate) use service::{findings, handing_in, milestones, recording, visiting};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "delivery",
        routes: Some(http::routes),
        schedules: vec![Schedule {
            name: "delivery.findings",
            every: Duration::from_mins(10),
            run: |state| async move { service::findings::look_after(&state).await }.boxed_local(),
        }],
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
