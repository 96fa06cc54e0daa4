//! The rules of shifts: what a sign-up may become, when one may check in, what presence is worth.

mod credit;
mod figures;
mod place;
mod plan;
mod rest;
mod states;
mod time;

pub use crate::platform::check_in::{CLOCK_DRIFT, proven_moment, scanned_windows};
pub use credit::stars;
pub use figures::{Count, Figures};
pub use place::{Nearness, nearness};
pub use plan::{Part, Plan, Planned, Rotation, expand};
pub use rest::{Clash, clash, rests_until};
pub use states::{Event, LIVE, SEATED, next};
pub use time::{CHECK_OUT_GRACE, FARTHEST, LONGEST, NO_SHOW_AFTER, REVIEW_AFTER, Span, Step, moment_text, offer_until};
