//! The simulator over real HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail where it stands; clippy.toml allows this only inside #[test] functions"
)]

mod codes;
mod content;
mod control;
mod faults;
mod login;
mod messages;
mod push;
mod support;
mod tokens;
