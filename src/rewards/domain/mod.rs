//! The rules of rewards: codes, opening times, periods of limits, what a statement says.

pub mod code;
pub mod offer;
pub mod opening;
pub mod statement;
