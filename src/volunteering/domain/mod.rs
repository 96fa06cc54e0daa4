//! The rules of shifts: what a sign-up may become, when one may check in, what presence is worth.

mod code;
mod credit;
mod states;
mod time;

pub use code::{code_expires, code_window, good_windows};
pub use credit::{points, stars};
pub use states::{Event, LIVE, SEATED, next};
pub use time::{NO_SHOW_AFTER, Span, Step, moment_text, offer_until};
