//! Tables of `notifications`.

pub mod consent;
pub mod inbox_entry;
