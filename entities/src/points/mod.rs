//! Tables of `points`.

pub mod award;
pub mod award_budget;
pub mod day;
pub mod earning;
pub mod reminder;
pub mod rule;
pub mod score;

use crate::text_enum;

text_enum! {
    /// What earns points.
    pub enum RuleKey {
        ServiceHour,
        ServiceShift,
        SurveyAnswer,
        NeedAdopted,
        Deliberation,
    }
}

text_enum! {
    /// Why less was granted than a rule gives.
    pub enum Cut {
        DailyCap,
        Budget,
    }
}

text_enum! {
    /// Where an award by hand stands.
    pub enum AwardState {
        Pending,
        Awarded,
        Rejected,
        Reversed,
    }
}
