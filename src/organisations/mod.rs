//! The register of social organisations 社会组织, their people, the platforms that raise them.
//!
//! Somebody acts for an organisation who belongs to it ([`of_person`]) and holds the grant for it at the place.

mod http;
mod service;

use crate::platform::capability::Capability;

pub use service::{lock, of_person, people_of};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "organisations", routes: Some(http::routes), ..Capability::default() }
}
