//! Tables of `teams`.
