//! Tables of `notices`.

pub mod day;
pub mod head;
pub mod notice;
pub mod objection;
pub mod window;

use crate::text_enum;

text_enum! {
    /// What became of an objection.
    pub enum ObjectionState {
        Open,
        Upheld,
        Dismissed,
    }
}
