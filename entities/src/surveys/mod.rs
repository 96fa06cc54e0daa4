//! Tables of `surveys`.

pub mod survey;
pub mod push;
pub mod audience;
pub mod response;

use crate::text_enum;

text_enum! {
    /// Where a survey stands.
    pub enum SurveyState {
        Draft,
        Published,
        Closed,
    }
}
