//! Gifts for points: stock, redemptions, pickup codes.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "rewards", ..Capability::default() }
}
