//! Points: awards, wallets, leaderboards.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "points", ..Capability::default() }
}
