//! Self-governed funds 自治经费: fees in, subsidies out, books that every resident can read.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "funds", ..Capability::default() }
}
