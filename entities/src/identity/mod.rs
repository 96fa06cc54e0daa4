//! Tables of `identity`.

pub mod grant;
pub mod residency;
pub mod user;

use crate::text_enum;

text_enum! {
    /// Where an application stands.
    pub enum ResidencyState {
        Pending,
        Approved,
        Rejected,
        Ended,
    }
}

text_enum! {
    /// What somebody may do at a place.
    pub enum Role {
        DistrictStaff,
        StreetStaff,
        CommunityStaff,
        BuildingLeader,
        Volunteer,
        Representative,
        SocialWorker,
        Organisation,
        Supervisor,
        Evaluator,
        Merchant,
    }
}
