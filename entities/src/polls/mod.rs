//! Tables of `polls`.

pub mod ballot;
pub mod elector;
pub mod option;
pub mod participation;
pub mod poll;

use crate::text_enum;

text_enum! {
    /// How a ballot is filled in.
    pub enum PollKind {
        Single,
        Approval,
        YesNo,
    }
}

text_enum! {
    /// Where a poll stands.
    pub enum PollState {
        Draft,
        Open,
        Closed,
    }
}
