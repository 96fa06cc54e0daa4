//! Tables of `volunteering`.

pub mod activity;
pub mod calendar_feed;
pub mod no_show;
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
