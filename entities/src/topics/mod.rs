//! Tables of `topics`.

pub mod attendance;
pub mod comment;
pub mod deliberation;
pub mod topic;
pub mod topic_need;

use crate::text_enum;

text_enum! {
    /// Where a topic stands.
    pub enum TopicState {
        Open,
        Voting,
        Resolved,
    }
}

text_enum! {
    /// What was decided.
    pub enum Resolution {
        DesignProject,
        HandleDirectly,
        Vote,
        DoNotProceed,
    }
}

text_enum! {
    /// How it is known that somebody came.
    pub enum SignedBy {
        Code,
        Mark,
    }
}
