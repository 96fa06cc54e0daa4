//! Tables of `organisations`.

pub mod organisation;

use crate::text_enum;

text_enum! {
    /// How an organisation stands in the register.
    pub enum OrganisationState {
        Registered,
        Incubating,
        Guided,
    }
}
