//! Pictures: checked by content, stripped, thumbnailed, and seen by others only after content security.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "files", ..Capability::default() }
}
