//! Tables of `notifications`.

pub mod inbox_entry;
pub mod consent;
