//! What makes a programme, which phase it is in, what a review is worth, and who gets the money: all pure.

mod allocation;
mod plan;
mod rubric;

pub use allocation::{Candidate, Choice, Reason, allocate};
pub use plan::{Phase, Phases, Plan};
pub use rubric::{Criterion, WHOLE, ballot_share, mean, points, weighted};
