//! Certificates of volunteer service, and how anybody checks one.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "certificates", ..Capability::default() }
}
