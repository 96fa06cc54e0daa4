//! Double-entry books in integer amounts.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "ledger", ..Capability::default() }
}
