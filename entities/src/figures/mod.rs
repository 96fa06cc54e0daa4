//! Tables of `figures`.

pub mod summary;
