//! Tables of `surveys`.

pub mod audience;
pub mod push;
pub mod response;
pub mod survey;

use crate::text_enum;

text_enum! {
    /// Where a survey stands.
    pub enum SurveyState {
        Draft,
        Published,
    }
}
