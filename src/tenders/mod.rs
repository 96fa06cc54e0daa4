//! Tenders 招标: sealed bids, opening by two, scoring, award, contract.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "tenders", ..Capability::default() }
}
