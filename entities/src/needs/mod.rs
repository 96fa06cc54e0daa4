//! Tables of `needs`.

pub mod event;
pub mod merge;
pub mod need;
pub mod need_file;
pub mod support;
pub mod term;

use crate::text_enum;

text_enum! {
    /// The four service categories.
    pub enum NeedCategory {
        Charity,
        CultureEducation,
        Rights,
        Convenience,
    }
}

text_enum! {
    /// Where a need stands.
    pub enum NeedState {
        InReview,
        Published,
        InTopic,
        InProject,
        Resolved,
        Merged,
        Declined,
        Withdrawn,
    }
}

text_enum! {
    /// By which way a need came.
    pub enum NeedChannel {
        MiniProgram,
        HouseholdVisit,
        Deliberation,
        ChatGroup,
        Survey,
        OnSite,
        Hotline,
    }
}

text_enum! {
    /// How somebody agreed that another person records their need.
    pub enum ConsentHow {
        Spoken,
        Written,
        Phone,
    }
}

text_enum! {
    /// How soon something is needed.
    pub enum Urgency {
        Normal,
        Soon,
        Urgent,
    }
}

text_enum! {
    /// What happened to a need.
    pub enum NeedEventKind {
        Answered,
        Declined,
        Withdrawn,
        Disputed,
        Escalated,
        Merged,
        Unmerged,
        TookIn,
        GaveBack,
        InTopic,
        LeftTopic,
        InProject,
        Resolved,
    }
}
