//! Tables of `moderation`.

pub mod complaint;
pub mod item;
pub mod item_file;
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
    /// How far content security is with something: its text, then its pictures, then the result; `unchecked` when WeChat
    /// gave none and a person has to decide.
    pub enum SecurityState {
        Text,
        Pictures,
        Passed,
        Risky,
        Unchecked,
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
