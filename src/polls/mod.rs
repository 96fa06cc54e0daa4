//! Polls: electorate, ballots, counting.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "polls", ..Capability::default() }
}
