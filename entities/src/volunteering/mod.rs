//! Tables of `volunteering`.

pub mod activity;
pub mod attendance;
pub mod attendance_group;
pub mod beneficiary_group;
pub mod correction_request;
pub mod enrolment;
pub mod meeting_point;
pub mod offline_check_in;
pub mod service_correction;
pub mod service_record;
pub mod session;
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

text_enum! {
    /// What became of a wish for a correction.
    pub enum CorrectionRequestState { Open, Granted, Declined }
}

text_enum! {
    /// Where an enrolment stands.
    pub enum EnrolmentState { Enrolled, Waiting, Cancelled }
}
