//! Tables of `certificates`.
