//! Topics 议题 and deliberations 议事恳谈: needs are gathered, talked over, and resolved.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "topics", ..Capability::default() }
}
