//! Activities, shifts, sign-ups, presence and service minutes.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "volunteering", ..Capability::default() }
}
