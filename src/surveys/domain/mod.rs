//! The rules of surveys: which questions can be asked, which answers fit them, and which figures may be shown.

mod answer;
mod question;
mod suppression;
mod tally;

use std::collections::BTreeSet;

pub use answer::check_answers;
pub use question::{Question, check_questions};
pub use tally::{Figure, Tally};

/// The first of the buildings that was reached `cap` times already by the recent pushes (each a list of buildings).
pub fn over_limit<B: Ord + Copy>(recent: &[BTreeSet<B>], buildings: &BTreeSet<B>, cap: u64) -> Option<B> {
    let cap = usize::try_from(cap).unwrap_or(usize::MAX);
    buildings.iter().copied().find(|building| recent.iter().filter(|push| push.contains(building)).count() >= cap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_by_building() {
        let set = BTreeSet::from_iter::<[i32; 2]>;
        let recent = [set([1, 2]), set([2, 3])];
        assert_eq!(over_limit(&recent, &set([1, 3]), 2), None);
        assert_eq!(over_limit(&recent, &set([1, 2]), 2), Some(2));
        assert_eq!(over_limit(&[], &set([1, 2]), 0), Some(1));
    }
}
