//! Tables of `audit`.

pub mod log;
