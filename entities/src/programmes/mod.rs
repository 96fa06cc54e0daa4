//! Tables of `programmes`.

pub mod community_poll;
pub mod expert;
pub mod programme;
pub mod selection;

use crate::text_enum;

text_enum! {
    /// Where a programme stands.
    pub enum ProgrammeState {
        Draft,
        Open,
        Closed,
    }
}

text_enum! {
    /// How a programme chooses among projects.
    pub enum Allocation {
        Ranked,
    }
}
