//! Tables of `files`.

pub mod file;

use crate::text_enum;

text_enum! {
    /// What content security says of a picture.
    pub enum FileState {
        Pending,
        Passed,
        Review,
        Blocked,
    }
}
