//! Tables of `projects`.

pub mod project;

use crate::text_enum;

text_enum! {
    /// Where a project stands.
    pub enum ProjectState {
        Proposed,
        Running,
        Finished,
    }
}
