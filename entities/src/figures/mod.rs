//! Tables of `figures`.
