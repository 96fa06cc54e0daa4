//! One queue for everything residents write, reports, and complaints.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "moderation", ..Capability::default() }
}
