//! Projects and the organisations behind them.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "projects", ..Capability::default() }
}
