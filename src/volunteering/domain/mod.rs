//! The rules of shifts: what a sign-up may become, when one may check in, what presence is worth.

mod code;
mod credit;
mod plan;
mod rest;
mod states;
mod time;

pub use code::{code_expires, code_window, good_windows};
pub use credit::stars;
pub use plan::{Part, Plan, Planned, Rotation, expand};
pub use rest::{Clash, clash, rests_until};
pub use states::{Event, LIVE, SEATED, next};
pub use time::{FARTHEST, LONGEST, NO_SHOW_AFTER, Span, Step, moment_text, offer_until};
