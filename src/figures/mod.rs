//! What a community publishes about itself each month.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "figures", ..Capability::default() }
}
