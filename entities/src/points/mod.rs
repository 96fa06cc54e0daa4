//! Tables of `points`.

pub mod award_budget;
pub mod score;
