//! Tables of `needs`.

pub mod need;
pub mod need_file;
pub mod support;

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
