//! A programme's plan and calendar.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Criterion;
use crate::platform::mistake::Mistake;

/// When what happens; half-open, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Proposals are taken from then
    pub proposals_from: DateTime<Utc>,
    /// until then.
    pub proposals_until: DateTime<Utc>,
    /// Experts review until then.
    pub reviews_until: DateTime<Utc>,
    /// Residents vote until then.
    pub votes_until: DateTime<Utc>,
    /// What was selected is carried out until then.
    pub delivery_until: DateTime<Utc>,
}

/// Which part of its calendar a programme is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Proposals are not taken yet.
    Announced,
    /// Proposals are taken, and reviewed.
    Proposals,
    /// Experts review.
    Reviews,
    /// Residents vote.
    Votes,
    /// Projects are carried out.
    Delivery,
    /// All is over.
    Over,
}

impl Phases {
    /// The phase at a moment.
    pub fn at(&self, now: DateTime<Utc>) -> Phase {
        let ends = [
            (self.proposals_from, Phase::Announced),
            (self.proposals_until, Phase::Proposals),
            (self.reviews_until, Phase::Reviews),
            (self.votes_until, Phase::Votes),
            (self.delivery_until, Phase::Delivery),
        ];
        ends.into_iter().find(|(end, _)| now < *end).map_or(Phase::Over, |(_, phase)| phase)
    }

    /// Whether a version of a design comes in time: the first while proposals are taken, one that was returned until the reviews end.
    pub fn takes_design(&self, version: i64, now: DateTime<Utc>) -> bool {
        let until = if version == 1 { self.proposals_until } else { self.reviews_until };
        self.proposals_from <= now && now < until
    }

    /// What is wrong with moving an open programme's dates from these to `later`: each moves to a later day only, and not once it has
    /// passed, because people relied on it.
    pub fn moving(&self, later: &Self, now: DateTime<Utc>) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let dates = [
            ("/phases/proposals_from", self.proposals_from, later.proposals_from),
            ("/phases/proposals_until", self.proposals_until, later.proposals_until),
            ("/phases/reviews_until", self.reviews_until, later.reviews_until),
            ("/phases/votes_until", self.votes_until, later.votes_until),
            ("/phases/delivery_until", self.delivery_until, later.delivery_until),
        ];
        for (pointer, old, new) in dates {
            if new < old || (new > old && old <= now) {
                mistakes.push(Mistake::at(pointer, "只能推迟尚未到期的日期 / later only, and not once it has passed"));
            }
        }
        later.check(&mut mistakes);
        mistakes
    }

    fn check(&self, mistakes: &mut Vec<Mistake>) {
        let order = [
            ("/phases/proposals_until", self.proposals_from < self.proposals_until),
            ("/phases/reviews_until", self.proposals_until <= self.reviews_until),
            ("/phases/votes_until", self.reviews_until <= self.votes_until),
            ("/phases/delivery_until", self.votes_until < self.delivery_until),
        ];
        for (pointer, right) in order {
            if !right {
                mistakes.push(Mistake::at(pointer, "须晚于前一阶段 / must follow the phase before"));
            }
        }
    }
}

/// What of a programme can be wrong together.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// All of the money.
    pub budget_fen: i64,
    /// At most so much for one project.
    pub cap_fen: i64,
    /// What experts score.
    pub rubric: &'a [Criterion],
    /// When what happens.
    pub phases: &'a Phases,
}

impl Plan<'_> {
    /// What is wrong with it.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if self.cap_fen > self.budget_fen {
            mistakes.push(Mistake::at("/cap_fen", "单个项目上限不能超过总预算 / at most the budget"));
        }
        let mut keys = HashSet::new();
        for (at, criterion) in self.rubric.iter().enumerate() {
            if !keys.insert(criterion.key.as_str()) {
                let pointer = format!("/rubric/{at}/key");
                mistakes.push(Mistake::at(pointer, "与前面的重复 / same as an earlier one"));
            }
        }
        self.phases.check(&mut mistakes);
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn phases(days: [i64; 5]) -> Phases {
        let [proposals_from, proposals_until, reviews_until, votes_until, delivery_until] =
            days.map(|days| DateTime::UNIX_EPOCH + TimeDelta::days(days));
        Phases { proposals_from, proposals_until, reviews_until, votes_until, delivery_until }
    }

    proptest! {
        #[test]
        fn phases_follow_one_another_without_a_gap(steps in proptest::array::uniform5(1_i64..9), now in -5_i64..60) {
            let mut day = 0;
            let days = steps.map(|step| { day += step; day });
            let calendar = phases(days);
            let mut mistakes = Vec::new();
            calendar.check(&mut mistakes);
            prop_assert!(mistakes.is_empty());
            let now = DateTime::UNIX_EPOCH + TimeDelta::days(now);
            let phase = calendar.at(now);
            prop_assert_eq!(calendar.takes_design(1, now), phase == Phase::Proposals);
            prop_assert_eq!(calendar.takes_design(2, now), matches!(phase, Phase::Proposals | Phase::Reviews));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let criterion = |key: &str| Criterion { key: key.into(), title: "x".into(), weight: 1, maximum: 5 };
        let rubric = [criterion("a"), criterion("a")];
        let calendar = phases([2, 1, 0, 3, 3]);
        let plan = Plan { budget_fen: 1, cap_fen: 2, rubric: &rubric, phases: &calendar };
        let pointers: Vec<_> = plan.mistakes().into_iter().map(|mistake| mistake.pointer).collect();
        let expected =
            ["/cap_fen", "/rubric/1/key", "/phases/proposals_until", "/phases/reviews_until", "/phases/delivery_until"];
        assert_eq!(pointers, expected);
    }
}
