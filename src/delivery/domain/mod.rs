//! Pure rules of delivery: how people are counted, what may be shown, and the states that findings and milestones go through.

pub mod counts;
pub mod states;
