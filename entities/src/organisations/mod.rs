//! Tables of `organisations`.

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
