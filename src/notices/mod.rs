//! The notice board: public acts, chained by hash.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "notices", ..Capability::default() }
}
