//! Who is in charge of a case, and what its reporter reads.

use entities::cases::CaseState;
use entities::ids::UserId;

/// So many social workers are put in charge of one case by themselves; a supervisor may add more.
pub(super) const IN_CHARGE: usize = 5;

/// What handlers are told of a new case: that there is one.
pub(super) const TOLD: &str = "您有一件新的个案，请登录查看";
/// What the supervisor of cases is told of one that nobody is in charge of.
pub(super) const UNASSIGNED: &str = "有一件个案尚无负责社工，请登录指派";

/// Of people with the paths of their grants, nearest first: those whose grant lies nearest, without whoever reported.
pub(super) fn in_charge<'a>(
    holders: impl IntoIterator<Item = (UserId, &'a str)>,
    reporter: Option<UserId>,
) -> Vec<UserId> {
    let mut nearest = None;
    let mut chosen = Vec::new();
    for (person, path) in holders.into_iter().filter(|(person, _)| Some(*person) != reporter) {
        if *nearest.get_or_insert(path) != path || chosen.len() == IN_CHARGE {
            break;
        }
        if !chosen.contains(&person) {
            chosen.push(person);
        }
    }
    chosen
}

/// What whoever reported a case reads at once, and while it is open.
pub const RECEIVED: &str = "已收到，社工会与您电话联系";

/// What whoever reported a case reads of it.
pub(super) const fn said(state: CaseState) -> &'static str {
    match state {
        CaseState::Open => RECEIVED,
        CaseState::Closed => "已办结",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn the_nearest_are_in_charge_and_never_the_reporter(
            people in proptest::collection::vec((0_u128..8, 0_usize..3), 0..20), reporter in proptest::option::of(0_u128..8)
        ) {
            const PATHS: [&str; 3] = ["/a/b/c/", "/a/b/", "/a/"];
            let id = |number: u128| UserId(Uuid::from_u128(number));
            let mut people = people;
            people.sort_by_key(|(_, depth)| *depth);
            let holders: Vec<_> = people.iter().map(|(number, depth)| (id(*number), PATHS[*depth])).collect();
            let chosen = in_charge(holders.iter().copied(), reporter.map(id));
            let others: Vec<_> = holders.iter().filter(|(person, _)| Some(*person) != reporter.map(id)).collect();
            prop_assert!(chosen.len() <= IN_CHARGE && chosen.is_empty() == others.is_empty());
            prop_assert!(reporter.is_none_or(|reporter| !chosen.contains(&id(reporter))));
            for person in &chosen {
                prop_assert_eq!(chosen.iter().filter(|other| *other == person).count(), 1);
                prop_assert!(others.iter().any(|(other, path)| other == person && *path == others[0].1));
            }
        }
    }
}
