//! Tables of `volunteering`.

pub mod activity;
pub mod shift;
pub mod signup;

use crate::text_enum;

text_enum! {
    /// Where a sign-up stands.
    pub enum SignupState {
        Waitlisted,
        Offered,
        Confirmed,
        CheckedIn,
        InReview,
        CheckedOut,
        Credited,
        Cancelled,
        NoShow,
        Excused,
    }
}
