//! The commands. Each begins with who may give it.

pub(super) mod issuing;
pub(super) mod profile;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// JSON, encrypted; `context` must be named again to read it.
pub(super) fn seal(state: &AppState, context: &str, value: &impl Serialize) -> Result<String, Problem> {
    let text = serde_json::to_string(value).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    state.keys.encrypt(context, &text).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// Reads what [`seal`] wrote.
pub(super) fn open<T: DeserializeOwned>(state: &AppState, context: &str, sealed: &str) -> Result<T, Problem> {
    let text = state.keys.decrypt(context, sealed);
    let text = text.map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    serde_json::from_str(&text).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}
