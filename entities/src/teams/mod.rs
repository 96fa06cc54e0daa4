//! Tables of `teams`.

pub mod member;
pub mod skill;
pub mod team;

use crate::text_enum;

text_enum! {
    /// Where a membership stands.
    pub enum MemberState {
        Requested,
        Invited,
        Active,
        Refused,
        Left,
        Removed,
    }
}
