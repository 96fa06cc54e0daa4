//! Teams of volunteers and their rosters 花名册.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "teams", ..Capability::default() }
}
