//! Tables of `volunteering`.

pub mod activity;
pub mod attendance;
pub mod attendance_group;
pub mod beneficiary_group;
pub mod calendar_feed;
pub mod correction_request;
pub mod enrolment;
pub mod meeting_point;
pub mod no_show;
pub mod offline_check_in;
pub mod service_correction;
pub mod service_record;
pub mod session;
pub mod shift;
pub mod shift_template;
pub mod signup;
pub mod stand_in;
pub mod suspension;
pub mod swap;

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

text_enum! {
    /// Where a request for a stand-in stands.
    pub enum StandInState {
        Open,
        Taken,
        Withdrawn,
        Lapsed,
    }
}

text_enum! {
    /// Where an offer to swap stands.
    pub enum SwapState {
        Open,
        Accepted,
        Declined,
        Withdrawn,
        Lapsed,
    }
}

text_enum! {
    /// Where a no-show stands: `rejected` is an appeal that did not succeed, `excused` one that did.
    pub enum NoShowState {
        Standing,
        Appealed,
        Rejected,
        Excused,
    }
}
