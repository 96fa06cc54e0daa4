//! Tables of `notices`.

pub mod notice;
pub mod head;
