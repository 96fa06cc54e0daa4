//! Tables of `moderation`.

pub mod complaint;
pub mod item;
pub mod report;

use crate::text_enum;

text_enum! {
    /// Why something is in the queue.
    pub enum ModerationReason {
        New,
        Risky,
        Reported,
    }
}

text_enum! {
    /// Whether somebody has decided.
    pub enum ModerationState {
        Open,
        Closed,
    }
}

text_enum! {
    /// What a moderator decided.
    pub enum ModerationAction {
        Approve,
        Hide,
        Restore,
    }
}
