//! Tables of `notices`.

pub mod head;
pub mod notice;
