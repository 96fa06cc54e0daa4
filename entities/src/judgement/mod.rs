//! Tables of `judgement`.

pub mod closing;
pub mod evaluation;
pub mod exemplar;
pub mod exemplar_copy;
pub mod rating;
pub mod rating_window;
pub mod resubmission;

use crate::text_enum;

text_enum! {
    /// Why somebody may rate.
    pub enum RaterStanding {
        Served,
        Resident,
    }
}

text_enum! {
    /// What a third party concludes.
    pub enum EvaluationResult {
        Excellent,
        Pass,
        Rectify,
    }
}
