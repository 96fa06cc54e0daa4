//! People and person-times by group, and which of them others than those in charge may see.

use std::collections::BTreeMap;

/// One cell of a project's figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Different people of the register.
    pub people: i64,
    /// Each time that one of them came.
    pub attended: i64,
    /// Each head that was only counted.
    pub heads: i64,
}

impl Cell {
    /// Each time that somebody came, known or not.
    pub fn person_times(self) -> i64 {
        self.attended.saturating_add(self.heads)
    }

    /// Whether few are not to be recognised in it: nobody, or at least `minimum`; and as many outside of it or nobody, for few who
    /// are missing are as telling as few who are there. People and heads each for themselves.
    fn is_safe(self, all: Self, minimum: i64) -> bool {
        let enough = |count: i64| count <= 0 || count >= minimum;
        enough(self.people)
            && enough(self.heads)
            && (self.people == 0 || enough(all.people - self.people))
            && (self.heads == 0 || enough(all.heads - self.heads))
    }
}

/// What was counted of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Everybody.
    pub total: Cell,
    /// By group; one person may be in several, or in none.
    pub groups: BTreeMap<String, Cell>,
    /// An audience, which may count one person often.
    pub reached: i64,
    /// Confirmed services by kind.
    pub services: BTreeMap<String, i64>,
    /// What services did for each indicator.
    pub indicators: BTreeMap<String, i64>,
    /// Case files.
    pub cases: i64,
}

/// What is shown; `None` is too small to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Everybody.
    pub total: Option<Cell>,
    /// By group.
    pub groups: BTreeMap<String, Option<Cell>>,
    /// Case files.
    pub cases: Option<i64>,
}

impl Figures {
    /// What may be shown where fewer than `minimum` people are not to be recognised; 0 shows everything.
    pub fn shown(&self, minimum: i64) -> Shown {
        let nobody = Cell::default();
        let total = Some(self.total).filter(|total| total.is_safe(nobody, minimum) || minimum == 0);
        let cell = |cell: &Cell| Some(*cell).filter(|cell| minimum == 0 || cell.is_safe(self.total, minimum));
        let mut groups = self.groups.iter().map(|(name, counted)| (name.clone(), cell(counted))).collect();
        if total.is_some() {
            self.cover(&mut groups, minimum);
        }
        Shown { total, groups, cases: Some(self.cases).filter(|cases| *cases == 0 || *cases >= minimum) }
    }

    /// Where a group is left out, the total less those shown must not tell how many it are: leaves out more, the smallest first, until
    /// that is nobody or enough. Groups of one size go together, so that which they are tells nothing.
    fn cover(&self, groups: &mut BTreeMap<String, Option<Cell>>, minimum: i64) {
        let few = |count: i64| count > 0 && count < minimum;
        while groups.values().any(Option::is_none) {
            let shown = groups.values().flatten();
            let (people, heads) = shown.fold((self.total.people, self.total.heads), |(people, heads), cell| {
                (people - cell.people, heads - cell.heads)
            });
            let size = |cell: &Cell| cell.people.saturating_add(cell.heads);
            let smallest = groups.values().flatten().map(size).filter(|size| *size > 0).min();
            let Some(smallest) = smallest.filter(|_| few(people) || few(heads)) else { return };
            for cell in groups.values_mut().filter(|cell| cell.as_ref().is_some_and(|cell| size(cell) == smallest)) {
                *cell = None;
            }
        }
    }

    /// The figures as a notice says them.
    pub fn words(&self, minimum: i64) -> String {
        let small = || format!("不足{minimum}人，不公开");
        let shown = self.shown(minimum);
        let mut lines = vec![match shown.total {
            Some(cell) if cell.people > 0 => format!("服务 {} 人，{} 人次", cell.people, cell.person_times()),
            Some(cell) => format!("服务 {} 人次", cell.person_times()),
            None => format!("服务人数：{}", small()),
        }];
        for (name, cell) in &shown.groups {
            lines.push(cell.map_or_else(
                || format!("其中{name}：{}", small()),
                |cell| format!("其中{name} {} 人次", cell.person_times()),
            ));
        }
        if self.reached > 0 {
            lines.push(format!("覆盖 {} 人次", self.reached));
        }
        if self.cases > 0 {
            lines.push(shown.cases.map_or_else(|| format!("个案：{}", small()), |cases| format!("个案 {cases} 个")));
        }
        lines.extend(self.indicators.iter().map(|(name, amount)| format!("{name} {amount}")));
        lines.join("；")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(people: i64, attended: i64, heads: i64) -> Cell {
        Cell { people, attended, heads }
    }

    fn figures(total: Cell, groups: &[(&str, Cell)]) -> Figures {
        let groups = groups.iter().map(|(name, cell)| ((*name).to_owned(), *cell)).collect();
        Figures { total, groups, ..Figures::default() }
    }

    #[test]
    fn the_seeds_figures_are_shown_and_few_people_are_not() {
        let craft = figures(
            cell(0, 0, 1010),
            &[("青年女性", cell(0, 0, 302)), ("全职妈妈", cell(0, 0, 594)), ("老人", cell(0, 0, 3))],
        );
        let shown = craft.shown(5);
        assert_eq!(shown.groups["青年女性"].map(Cell::person_times), Some(302));
        assert_eq!(shown.groups["全职妈妈"].map(Cell::person_times), Some(594));
        assert_eq!(shown.groups["老人"], None);
        let jobs = Figures { cases: 6, ..figures(cell(9, 12, 0), &[("待业青年", cell(9, 12, 0))]) };
        assert_eq!(jobs.shown(5).total.map(|cell| cell.people), Some(9));
        assert_eq!(jobs.shown(5).cases, Some(6));
        assert_eq!(jobs.shown(10).total, None);
        assert_eq!(jobs.shown(10).cases, None);
        assert_eq!(jobs.shown(0).total, Some(cell(9, 12, 0)), "exact for those who need it");
    }

    // Guard: `cover`.
    #[test]
    fn the_total_does_not_tell_what_a_group_held_back_counts() {
        let groups = [("甲", cell(0, 0, 60)), ("乙", cell(0, 0, 37)), ("丙", cell(0, 0, 3))];
        let shown = figures(cell(0, 0, 100), &groups).shown(5).groups;
        assert_eq!((shown["乙"], shown["丙"]), (None, None), "100 less 60 and 37 would be 3");
        assert_eq!(shown["甲"], Some(cell(0, 0, 60)));
        let with_others = figures(cell(0, 0, 150), &groups).shown(5).groups;
        assert!(with_others["乙"].is_some() && with_others["丙"].is_none(), "50 more are in no group");
    }

    proptest! {
        #[test]
        fn groups_that_are_apart_cannot_be_told_from_the_total(
            heads in proptest::collection::vec(0_i64..12, 2..6), others in 0_i64..4, minimum in 2_i64..8
        ) {
            let names = ["a", "b", "c", "d", "e", "f"];
            let groups: Vec<_> = names.into_iter().zip(heads.iter().map(|heads| cell(0, 0, *heads))).collect();
            let total = heads.iter().sum::<i64>() + others;
            let shown = figures(cell(0, 0, total), &groups).shown(minimum);
            let seen: i64 = shown.groups.values().flatten().map(|cell| cell.heads).sum();
            if shown.total.is_some() && shown.groups.values().any(Option::is_none) {
                prop_assert!(total - seen == 0 || total - seen >= minimum, "{shown:?}");
            }
        }

        #[test]
        fn no_shown_cell_tells_of_few(
            people in 0_i64..40, heads in 0_i64..40, inside in 0_i64..40, inside_heads in 0_i64..40, minimum in 1_i64..10
        ) {
            let (inside, inside_heads) = (inside.min(people), inside_heads.min(heads));
            let all = figures(cell(people, people * 2, heads), &[("a", cell(inside, inside * 2, inside_heads))]);
            let shown = all.shown(minimum);
            let few = |count: i64| count > 0 && count < minimum;
            if let Some(cell) = shown.groups["a"] {
                prop_assert!(!few(cell.people) && !few(cell.heads));
                prop_assert!(cell.people == 0 || !few(people - cell.people));
                prop_assert!(cell.heads == 0 || !few(heads - cell.heads));
            }
            if let Some(cell) = shown.total {
                prop_assert!(!few(cell.people) && !few(cell.heads));
            }
        }
    }
}
