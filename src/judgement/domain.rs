//! What is said of ratings: an exact mean, and a distribution in which few are not recognised.

/// Ratings of a project, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many gave 1, 2, 3, 4, 5.
    pub by_score: [i64; 5],
}

impl Tally {
    /// How many rated.
    pub fn count(&self) -> i64 {
        self.by_score.iter().sum()
    }

    /// The mean in hundredths, a half rounded up; nothing without ratings.
    pub fn mean_hundredths(&self) -> Option<i64> {
        let count = self.count();
        let sum: i64 = self.by_score.iter().zip(1_i64..).map(|(count, score)| count * score).sum();
        (count > 0).then(|| (sum * 200 + count) / (2 * count))
    }

    /// The distribution with cells of fewer than `minimum` left out. If that leaves one gap, the next smallest cell goes too: the
    /// count would give the gap away.
    pub fn shown(&self, minimum: i64) -> [Option<i64>; 5] {
        let few = |count: i64| count > 0 && count < minimum;
        let mut shown = self.by_score.map(|count| Some(count).filter(|count| !few(*count)));
        let gaps = shown.iter().filter(|cell| cell.is_none()).count();
        if gaps == 1 {
            // An empty cell hides nothing that is not known: take the smallest that is not.
            let smallest = shown.iter().flatten().copied().filter(|count| *count > 0).min();
            let at = smallest.and_then(|smallest| shown.iter().position(|cell| *cell == Some(smallest)));
            if let Some(cell) = at.and_then(|at| shown.get_mut(at)) {
                *cell = None;
            }
        }
        shown
    }

    /// The result as the notice says it.
    pub fn words(&self, minimum_ratings: i64, minimum_cell: i64) -> String {
        let count = self.count();
        let Some(mean) = self.mean_hundredths().filter(|_| count >= minimum_ratings) else {
            return format!("参与评议的人数不足 {minimum_ratings} 人，不公布分数。");
        };
        let cells = self.shown(minimum_cell).into_iter().zip(1..).map(|(cell, score)| {
            cell.map_or_else(
                || format!("{score} 分：不足 {minimum_cell} 人或不公开"),
                |count| format!("{score} 分：{count} 人"),
            )
        });
        let cells: Vec<_> = cells.collect();
        format!(
            "{count} 人参与评议，平均 {}.{:02} 分（满分 5 分）。{}。",
            mean / 100,
            mean.rem_euclid(100),
            cells.join("；")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mean_is_exact_to_the_hundredth() {
        assert_eq!(Tally::default().mean_hundredths(), None);
        assert_eq!(Tally { by_score: [0, 0, 0, 1, 2] }.mean_hundredths(), Some(467));
        assert_eq!(Tally { by_score: [1, 0, 0, 0, 7] }.mean_hundredths(), Some(450));
        // 4.625 is a half: rounded up.
        assert_eq!(Tally { by_score: [0, 0, 0, 3, 5] }.mean_hundredths(), Some(463));
    }

    #[test]
    fn too_few_ratings_have_no_figures() {
        assert!(!Tally { by_score: [0, 0, 0, 1, 3] }.words(5, 5).contains("平均"));
        assert!(Tally { by_score: [0, 0, 0, 0, 5] }.words(5, 5).contains("平均 5.00 分"));
    }

    proptest! {
        #[test]
        fn a_gap_cannot_be_found_by_subtraction(cells in proptest::array::uniform5(0_i64..30), minimum in 1_i64..10) {
            let tally = Tally { by_score: cells };
            let shown = tally.shown(minimum);
            prop_assert!(shown.iter().flatten().all(|count| *count == 0 || *count >= minimum));
            let gaps = shown.iter().filter(|cell| cell.is_none()).count();
            let others = cells.iter().filter(|count| **count > 0).count();
            prop_assert!(gaps != 1 || others == 1);
        }
    }
}
