//! The register of social organisations 社会组织, their people, the platforms that raise them.
//!
//! Somebody acts for an organisation who belongs to it ([`of_person`]) and holds the grant for it at the place. Who judges one
//! must not be tied to it ([`conflicts`]). That two parties of a project share nobody is a trigger's; both sides, who assigns
//! a party and who adds a person, [`lock`] the organisations first, so that neither misses the other.
//!
//! **Locks**: organisations by id, then what belongs to them.

pub mod domain;
mod http;
mod service;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use service::conflicts::conflicts;
pub use service::people::{is_head, lock, of_person, people_of};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "organisations",
        routes: Some(http::routes),
        schedules: vec![Schedule {
            name: "organisations.qualifications",
            every: Duration::from_hours(1),
            run: |state| async move { service::register::warn(&state).await }.boxed_local(),
        }],
        verify: Some(|state| state.db.audit(verify::RULES).boxed_local()),
        ..Capability::default()
    }
}
