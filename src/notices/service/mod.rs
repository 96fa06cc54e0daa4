//! What is done with notices: one function a command.

mod objecting;
mod publishing;

pub use objecting::standing;
pub(super) use objecting::{WindowState, may_answer, object, reply, window_state};
pub(super) use publishing::board_of;
pub use publishing::{Notice, publish};
