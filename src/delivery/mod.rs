//! Delivery 实施: milestones, reports, service records, supervision visits and findings.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "delivery", ..Capability::default() }
}
