//! The register of social organisations 社会组织, their people, the platforms that raise them.
//!
//! Somebody acts for an organisation who belongs to it ([`of_person`]) and holds the grant for it at the place. Who judges one
//! must not be tied to it ([`conflicts`]). That two parties of a project share nobody is a trigger's; both sides, who assigns
//! a party and who adds a person, [`lock`] the organisations first, so that neither misses the other.
//!
//! **Locks**: organisations by id, then what belongs to them.

mod http;
mod service;

use crate::platform::capability::Capability;

pub use service::conflicts::conflicts;
pub use service::people::{is_head, lock, of_person, people_of};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "organisations", routes: Some(http::routes), ..Capability::default() }
}
