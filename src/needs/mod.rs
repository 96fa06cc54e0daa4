//! Needs and their supporters.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "needs", ..Capability::default() }
}
