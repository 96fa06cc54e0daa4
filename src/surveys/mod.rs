//! Surveys: questions, pushes to doors, answers, figures.

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "surveys", ..Capability::default() }
}
