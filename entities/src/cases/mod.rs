//! Tables of `cases`.

pub mod case_file;
pub mod handler;
pub mod note;

use crate::text_enum;

text_enum! {
    /// Whether somebody still works on a case.
    pub enum CaseState {
        Open,
        Closed,
    }
}

text_enum! {
    /// What a case came out of.
    pub enum CaseOrigin {
        Need,
        Project,
    }
}
