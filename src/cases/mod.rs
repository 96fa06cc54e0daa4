//! Case files 个案: what social workers in charge keep of one person's trouble; nobody else reads it.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "cases", ..Capability::default() }
}
