//! What is done with notices: one function a command.

mod correcting;
mod objecting;
mod publishing;
mod signing;

pub use correcting::correct;
pub(super) use correcting::correct_by_hand;
pub(super) use objecting::{WindowState, may_answer, object, reply, window_state};
pub use objecting::{of_subject, standing, standing_of};
pub use publishing::{Notice, publish};
pub(super) use publishing::{board_of, printed};
pub(super) use signing::sign_days;
