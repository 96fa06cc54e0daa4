//! Tables of `organisations`.

pub mod conflict;
pub mod organisation;
pub mod person;

use crate::text_enum;

text_enum! {
    /// How an organisation stands in the register.
    pub enum OrganisationState {
        Registered,
        Incubating,
        Guided,
    }
}

text_enum! {
    /// What somebody is in an organisation.
    pub enum PersonRole {
        Head,
        Member,
    }
}

text_enum! {
    /// What ties a person to an organisation that they do not belong to.
    pub enum ConflictKind {
        Family,
        Employment,
        Money,
        Dispute,
        Other,
    }
}
