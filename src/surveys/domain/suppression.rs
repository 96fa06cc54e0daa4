//! Which cells of a table are hidden so that nobody can be recognised by a small one.

/// Hides the cells that `small` names, and then, smallest first and equals together, as many others as it takes until the total
/// does not give a hidden one away: at least two are hidden, together they hold at least `minimum`, and not each of them the
/// most that a small one can hold. Which are hidden depends on the counts alone and not on their places, so that hidden ones may
/// always have been exchanged for one another; that this is enough, the tests below find by trying all small tables.
fn hide(cells: &[u32], minimum: u32, small: impl Fn(u32) -> bool) -> Vec<bool> {
    let mut hidden: Vec<bool> = cells.iter().map(|cell| small(*cell)).collect();
    if !hidden.contains(&true) {
        return hidden;
    }
    loop {
        let (covered, open): (Vec<_>, Vec<_>) = cells.iter().copied().zip(&hidden).partition(|(_, hidden)| **hidden);
        let together = covered.iter().fold(0_u32, |sum, (cell, _)| sum.saturating_add(*cell));
        let uneven = covered.iter().any(|(cell, _)| *cell != minimum.saturating_sub(1));
        let Some(smallest) = open.into_iter().map(|(cell, _)| cell).min() else { return hidden };
        if covered.len() >= 2 && together >= minimum && uneven {
            return hidden;
        }
        for (cell, hidden) in cells.iter().zip(&mut hidden) {
            *hidden |= *cell == smallest;
        }
    }
}

/// Which cells to hide of those that add up to a known total: each person stands in exactly one.
pub(super) fn of_partition(cells: &[u32], minimum: u32) -> Vec<bool> {
    hide(cells, minimum, |cell| cell < minimum)
}

/// Which cells to hide where each of `answered` persons stands in one or more: few who did not choose are as telling as few who did.
pub(super) fn of_subsets(cells: &[u32], answered: u32, minimum: u32) -> Vec<bool> {
    hide(cells, minimum, |cell| cell < minimum || answered.saturating_sub(cell) < minimum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// All tables of `width` cells with values up to `most`.
    fn tables(width: usize, most: u32) -> Vec<Vec<u32>> {
        (0..width).fold(vec![vec![]], |tables, _| {
            let extended = |table: Vec<u32>| (0..=most).map(move |cell| [table.clone(), vec![cell]].concat());
            tables.into_iter().flat_map(extended).collect()
        })
    }

    /// A reader knows the rule, the total and what is shown. For each thing they can see, every hidden small cell must have more
    /// than one possible value.
    fn nothing_small_is_derivable(tables: &[Vec<u32>], minimum: u32, hide: impl Fn(&[u32]) -> Vec<bool>) {
        let mut seen: HashMap<Vec<Option<u32>>, Vec<&Vec<u32>>> = HashMap::new();
        for table in tables {
            let shown = table.iter().zip(hide(table)).map(|(cell, hidden)| (!hidden).then_some(*cell)).collect();
            seen.entry(shown).or_default().push(table);
        }
        for (shown, possible) in seen {
            for (at, cell) in shown.iter().enumerate() {
                if let Some(cell) = cell {
                    assert!(*cell >= minimum, "{shown:?} shows a small cell");
                    continue;
                }
                let values: std::collections::HashSet<_> = possible.iter().map(|table| table[at]).collect();
                assert!(values.len() > 1, "{shown:?} gives away cell {at}: {values:?} (minimum {minimum})");
            }
        }
    }

    #[test]
    fn no_small_cell_of_any_small_partition_can_be_derived() {
        for (width, most) in [(2, 24), (3, 16), (4, 11)] {
            for minimum in 2..=5 {
                let all = tables(width, most);
                for total in minimum..=most {
                    let of_total: Vec<_> =
                        all.iter().filter(|table| table.iter().sum::<u32>() == total).cloned().collect();
                    nothing_small_is_derivable(&of_total, minimum, |table| of_partition(table, minimum));
                }
            }
        }
    }

    #[test]
    fn no_small_cell_of_any_small_choice_of_several_can_be_derived() {
        for (width, most) in [(2, 20), (3, 14), (4, 9)] {
            for minimum in 2..=4 {
                for answered in minimum..=most {
                    // Everybody chose at least one, and nobody one twice.
                    let possible: Vec<_> = tables(width, answered)
                        .into_iter()
                        .filter(|table| table.iter().sum::<u32>() >= answered)
                        .collect();
                    nothing_small_is_derivable(&possible, minimum, |table| of_subsets(table, answered, minimum));
                }
            }
        }
    }

    #[test]
    fn large_cells_are_shown() {
        assert_eq!(of_partition(&[5, 9, 30], 5), [false, false, false]);
        assert_eq!(of_partition(&[2, 9, 30], 5), [true, true, false]);
        assert_eq!(of_partition(&[2, 4, 30], 5), [true, true, false]);
        assert_eq!(of_partition(&[0, 12], 5), [true, true]);
        assert_eq!(of_partition(&[0, 12], 0), [false, false]);
        assert_eq!(of_subsets(&[9, 10, 18], 20, 5), [true, false, true]);
    }
}
