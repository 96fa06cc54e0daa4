//! Judgement 评议: residents' rating, third-party evaluation, exemplars.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "judgement", ..Capability::default() }
}
