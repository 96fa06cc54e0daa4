//! Funding programmes 资助计划: a budget, its rules and its calendar.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "programmes", ..Capability::default() }
}
