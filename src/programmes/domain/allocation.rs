//! Who gets the money: one function, a rule each way. A later rule (greedy by share, Equal Shares) adds an arm to [`allocate`].

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use entities::ids::ProjectId;
use entities::programmes::Allocation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A project that asks for money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub project_id: ProjectId,
    /// What it asks for.
    pub amount_fen: i64,
    /// Experts and residents together, in hundred-millionths.
    pub score: i64,
    /// What experts gave, in millionths.
    pub experts: i64,
    /// When its design was handed in.
    pub submitted_at: DateTime<Utc>,
}

/// Why a project is selected or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// What was left when its turn came was enough.
    Fits,
    /// It was not; a cheaper one further down may still fit.
    TooLittleLeft,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    /// Which.
    pub project_id: ProjectId,
    /// 1 for the first.
    pub rank: i64,
    /// What it asks for.
    pub amount_fen: i64,
    /// What was left when its turn came.
    pub left_fen: i64,
    /// Whether it gets the money.
    pub selected: bool,
    /// Why.
    pub reason: Reason,
}

/// Chooses by a rule; what is selected costs no more than the budget. The choices come in the order of their ranks.
///
/// `Ranked`: from the highest score down, each that what is left can pay for. Of equal scores goes first who has the higher
/// expert score, then who asks for less, then who handed in first, then whose id is lower.
pub fn allocate(rule: Allocation, mut candidates: Vec<Candidate>, budget_fen: i64) -> Vec<Choice> {
    match rule {
        Allocation::Ranked => {
            candidates.sort_by_key(|one| {
                (Reverse(one.score), Reverse(one.experts), one.amount_fen, one.submitted_at, one.project_id)
            });
            let mut left = budget_fen.max(0);
            let choices = candidates.into_iter().zip(1..).map(|(one, rank)| {
                let selected = one.amount_fen <= left;
                let reason = if selected { Reason::Fits } else { Reason::TooLittleLeft };
                let Candidate { project_id, amount_fen, .. } = one;
                let choice = Choice { project_id, rank, amount_fen, left_fen: left, selected, reason };
                if selected {
                    left -= amount_fen;
                }
                choice
            });
            choices.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (1_i64..100, 0_i64..5, 0_i64..3, 0_i64..3);
        proptest::collection::vec(one, 0..20).prop_map(|all| {
            let candidates = all.into_iter().enumerate().map(|(at, (amount_fen, score, experts, second))| Candidate {
                project_id: Uuid::from_u128(u128::try_from(at).unwrap()).into(),
                amount_fen,
                score,
                experts,
                submitted_at: DateTime::from_timestamp(second, 0).unwrap(),
            });
            candidates.collect()
        })
    }

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded_and_nobody_is_passed_over(all in candidates(), budget in 0_i64..500) {
            let choices = allocate(Allocation::Ranked, all.clone(), budget);
            prop_assert_eq!(choices.len(), all.len());
            let spent: i64 = choices.iter().filter(|choice| choice.selected).map(|choice| choice.amount_fen).sum();
            prop_assert!(spent <= budget);
            let mut before = 0;
            for (choice, rank) in choices.iter().zip(1..) {
                prop_assert_eq!(choice.rank, rank);
                prop_assert_eq!(choice.left_fen, budget - before);
                prop_assert_eq!(choice.selected, choice.amount_fen <= choice.left_fen);
                before += if choice.selected { choice.amount_fen } else { 0 };
            }
        }

        #[test]
        fn the_order_in_which_they_are_read_does_not_matter(all in candidates(), budget in 0_i64..500, turn in 0_usize..20) {
            let mut other = all.clone();
            other.reverse();
            let turn = turn % other.len().max(1);
            other.rotate_left(turn);
            prop_assert_eq!(allocate(Allocation::Ranked, all, budget), allocate(Allocation::Ranked, other, budget));
        }

        #[test]
        fn whoever_stands_higher_has_no_lower_score(all in candidates(), budget in 0_i64..500) {
            let choices = allocate(Allocation::Ranked, all.clone(), budget);
            let of = |choice: &Choice| all.iter().find(|one| one.project_id == choice.project_id).unwrap();
            for pair in choices.windows(2) {
                let (first, second) = (of(&pair[0]), of(&pair[1]));
                prop_assert!((first.score, first.experts) >= (second.score, second.experts));
            }
        }
    }
}
