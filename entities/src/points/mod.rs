//! Tables of `points`.

pub mod score;
pub mod award_budget;
