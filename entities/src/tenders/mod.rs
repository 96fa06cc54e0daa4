//! Tables of `tenders`.

pub mod amendment;
pub mod award;
pub mod bid;
pub mod bid_version;
pub mod contract;
pub mod contract_version;
pub mod criterion;
pub mod milestone;
pub mod panel;
pub mod question;
pub mod score;
pub mod tender;

use crate::text_enum;

text_enum! {
    /// Whether a tender goes on, and how it ended.
    pub enum TenderState {
        Live,
        Failed,
        Done,
    }
}

text_enum! {
    /// Where a bid stands.
    pub enum BidState {
        Sealed,
        Withdrawn,
        Valid,
        Invalid,
    }
}

text_enum! {
    /// Where an award stands.
    pub enum AwardState {
        Proposed,
        Standing,
        Refused,
        SetAside,
    }
}

text_enum! {
    /// Where a contract stands.
    pub enum ContractState {
        Drawn,
        Signed,
        Closed,
    }
}

text_enum! {
    /// Where a milestone stands; a dropped one was taken out by a change of the contract.
    pub enum MilestoneState {
        Planned,
        Submitted,
        Returned,
        Accepted,
        Dropped,
    }
}

text_enum! {
    /// Whose hand signs or proposes.
    pub enum ContractSide {
        Staff,
        Organisation,
    }
}

text_enum! {
    /// Where a version of a contract stands.
    pub enum VersionState {
        Proposed,
        Accepted,
        Refused,
    }
}
