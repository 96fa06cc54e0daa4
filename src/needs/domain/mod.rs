//! Who sees a need, when it takes support, and when it must be answered.

pub mod services;
pub mod words;

use chrono::{DateTime, TimeDelta, Utc};
use entities::needs::{NeedCategory, NeedState};

use crate::platform::config::Rules;

/// States in which everybody sees a need, unless it is hidden.
pub(super) const PUBLIC: [NeedState; 6] = [
    NeedState::Published,
    NeedState::InTopic,
    NeedState::InProject,
    NeedState::Resolved,
    NeedState::Merged,
    NeedState::Declined,
];

/// States in which neighbours can support a need, or step out.
pub(super) const OPEN: [NeedState; 3] = [NeedState::Published, NeedState::InTopic, NeedState::InProject];

/// States in which a project can still take a need up.
pub(super) const ADOPTABLE: [NeedState; 2] = [NeedState::Published, NeedState::InTopic];

/// States from which staff can say that it will not be done, or merge it into another.
pub(super) const UNTAKEN: [NeedState; 1] = [NeedState::Published];

/// States from which staff can say that it is done.
pub(super) const SETTLEABLE: [NeedState; 2] = [NeedState::Published, NeedState::InTopic];

/// States in which whoever it is of can take it back.
pub(super) const WITHDRAWABLE: [NeedState; 2] = [NeedState::InReview, NeedState::Published];

/// When staff must have answered a need that was published at `at`.
pub(super) fn due(rules: &Rules, category: NeedCategory, at: DateTime<Utc>) -> DateTime<Utc> {
    let days = match category {
        NeedCategory::Charity => rules.need_days_charity,
        NeedCategory::CultureEducation => rules.need_days_culture_education,
        NeedCategory::Rights => rules.need_days_rights,
        NeedCategory::Convenience => rules.need_days_convenience,
    };
    at + TimeDelta::days(days)
}

/// Whether everybody sees a need.
pub(super) fn is_public(state: NeedState, hidden: bool) -> bool {
    !hidden && PUBLIC.contains(&state)
}

/// Where a need stands once somebody has said that it may be seen.
pub(super) fn approved(state: NeedState) -> NeedState {
    if state == NeedState::InReview { NeedState::Published } else { state }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sea_orm::Iterable;

    fn states() -> impl Strategy<Value = NeedState> {
        proptest::sample::select(NeedState::iter().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn what_is_hidden_or_in_review_is_seen_by_nobody(state in states()) {
            prop_assert!(!is_public(state, true));
            prop_assert!(!is_public(NeedState::InReview, false));
        }

        #[test]
        fn only_what_is_public_takes_support(state in states()) {
            prop_assert!(!OPEN.contains(&state) || is_public(state, false));
        }

        #[test]
        fn approving_moves_a_need_once_and_never_back(state in states()) {
            prop_assert_eq!(approved(approved(state)), approved(state));
            prop_assert!(approved(state) != NeedState::InReview);
            prop_assert!(state == NeedState::InReview || approved(state) == state);
        }
    }
}
