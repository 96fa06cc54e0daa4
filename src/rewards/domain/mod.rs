//! The rules of rewards: codes, periods of limits, what a statement says.

pub mod code;
pub mod offer;
pub mod statement;
