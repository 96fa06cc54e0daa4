//! Participants counted by group: people and person-times, and which of them others than staff may see.

use std::collections::BTreeMap;

/// How many, how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Different people.
    pub people: i64,
    /// Each time that one of them came.
    pub person_times: i64,
}

/// An activity's attendance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Everybody.
    pub total: Count,
    /// By group; one person may be in several, or in none.
    pub groups: BTreeMap<String, Count>,
}

/// What is shown; `None` is too small to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Everybody.
    pub total: Option<Count>,
    /// By group.
    pub groups: BTreeMap<String, Option<Count>>,
}

impl Figures {
    /// What may be shown where few people are not to be recognised: a group needs at least `minimum` people in it, and as many
    /// outside of it or none, for few who are missing are as telling as few who are there. Both figures go together: who came once
    /// each is told by person-times too.
    pub fn shown(&self, minimum: i64) -> Shown {
        let total = Some(self.total).filter(|total| total.people >= minimum);
        let groups = self.groups.iter().map(|(group, count)| {
            let others = self.total.people - count.people;
            let open = total.is_some() && count.people >= minimum && (others == 0 || others >= minimum);
            (group.clone(), Some(*count).filter(|_| open))
        });
        Shown { total, groups: groups.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn few_are_told_neither_by_being_there_nor_by_being_absent(all in 0_i64..40, some in 0_i64..40, minimum in 0_i64..8) {
            let count = |people| Count { people, person_times: people + 3 };
            let groups = [("青年女性".to_owned(), count(some.min(all)))].into();
            let figures = Figures { total: count(all), groups };
            let shown = figures.shown(minimum);
            prop_assert!(shown.total.is_none_or(|total| total == figures.total && total.people >= minimum));
            if let Some(open) = shown.groups["青年女性"] {
                let others = all - open.people;
                prop_assert!(open.people >= minimum && (others == 0 || others >= minimum));
                prop_assert!(shown.total.is_some());
            }
        }
    }

    #[test]
    fn large_cells_are_shown() {
        let count = |people, person_times| Count { people, person_times };
        let groups = [("青年女性", count(302, 302)), ("全职妈妈", count(594, 594)), ("老人", count(3, 9))];
        let groups = groups.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        let shown = Figures { total: count(900, 1000), groups }.shown(5);
        assert_eq!(shown.groups["全职妈妈"], Some(count(594, 594)));
        assert_eq!(shown.groups["老人"], None);
        assert_eq!(shown.total, Some(count(900, 1000)));
    }
}
