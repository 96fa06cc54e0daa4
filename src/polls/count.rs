//! From ballots to a result, with what lets a reader redo it.

use entities::ids::PollOptionId;
use entities::polls::PollKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::domain::Rules;
use crate::platform::mistake::Mistake;

/// What a count found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many ballots there were.
    pub ballots: i64,
    /// The votes of each option, in the options' order.
    pub votes: Vec<i64>,
    /// Who won, in the options' order; nobody where the rule finds no winner.
    pub winners: Vec<PollOptionId>,
    /// By which rule.
    pub explanation: Explanation,
}

/// The rule by which the winners follow from the votes, with the numbers that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Explanation {
    /// A ballot is a vote for one option. Whoever has the most votes wins; all of them where several have; nobody without
    /// a vote.
    Plurality {
        /// The most votes that an option has.
        winning_votes: i64,
        /// Whether several have so many.
        tied: bool,
    },
    /// A ballot is a vote for each of its options. Winners as in `plurality`.
    Approval {
        /// A ballot has at most so many options.
        max_choices: usize,
        /// The most votes that an option has.
        winning_votes: i64,
        /// Whether several have so many.
        tied: bool,
    },
    /// Adopted with more votes for than against; rejected with more against than for; with as many, neither has won and the
    /// proposal is not adopted. Abstentions count as ballots only.
    YesNo {
        /// Votes for: the first option.
        yes: i64,
        /// Votes against: the second.
        no: i64,
        /// The third, if there is one.
        abstain: i64,
        /// Whether the proposal is adopted.
        adopted: bool,
    },
}

/// Counts ballots as they come; their order does not matter.
#[derive(Debug)]
pub struct Counter<'a> {
    rules: Rules,
    options: &'a [PollOptionId],
    ballots: i64,
    votes: Vec<i64>,
}

impl<'a> Counter<'a> {
    /// Nothing counted yet.
    pub fn new(rules: Rules, options: &'a [PollOptionId]) -> Self {
        Self { rules, options, ballots: 0, votes: vec![0; options.len()] }
    }

    /// Adds so many ballots of the same choices.
    pub fn add(&mut self, choices: &[PollOptionId], times: i64) -> Result<(), Mistake> {
        for place in self.rules.check(self.options, choices)? {
            if let Some(votes) = self.votes.get_mut(place) {
                *votes += times;
            }
        }
        self.ballots += times;
        Ok(())
    }

    /// The result.
    pub fn finish(self) -> Count {
        let Self { rules, options, ballots, votes } = self;
        let most = votes.iter().copied().max().unwrap_or_default();
        let leaders: Vec<_> =
            options.iter().zip(&votes).filter(|(_, votes)| most > 0 && **votes == most).map(|(id, _)| *id).collect();
        let tied = leaders.len() > 1;
        let (winners, explanation) = match rules.kind {
            PollKind::Single => (leaders, Explanation::Plurality { winning_votes: most, tied }),
            PollKind::Approval => {
                (leaders, Explanation::Approval { max_choices: rules.max_choices, winning_votes: most, tied })
            }
            PollKind::YesNo => {
                let votes_of = |place| votes.get(place).copied().unwrap_or_default();
                let (yes, no, abstain) = (votes_of(0), votes_of(1), votes_of(2));
                let winner = match yes.cmp(&no) {
                    std::cmp::Ordering::Greater => options.first(),
                    std::cmp::Ordering::Less => options.get(1),
                    std::cmp::Ordering::Equal => None,
                };
                (winner.copied().into_iter().collect(), Explanation::YesNo { yes, no, abstain, adopted: yes > no })
            }
        };
        Count { ballots, votes, winners, explanation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    type Ballots = Vec<Vec<PollOptionId>>;

    fn options(count: usize) -> Vec<PollOptionId> {
        (0..count).map(|at| Uuid::from_u128(u128::try_from(at).unwrap()).into()).collect()
    }

    fn count(rules: Rules, options: &[PollOptionId], ballots: &[Vec<PollOptionId>]) -> Count {
        let mut counter = Counter::new(rules, options);
        for ballot in ballots {
            counter.add(ballot, 1).unwrap();
        }
        counter.finish()
    }

    /// A poll's rules and options, valid ballots in it, and the same ballots in another order.
    fn polls() -> impl Strategy<Value = (Rules, Vec<PollOptionId>, Ballots, Ballots)> {
        (0_usize..3, 2_usize..8)
            .prop_flat_map(|(kind, count)| {
                let kind = [PollKind::Single, PollKind::Approval, PollKind::YesNo][kind];
                let count = if kind == PollKind::YesNo { count.min(3) } else { count };
                let most = if kind == PollKind::Approval { count } else { 1 };
                (Just(kind), Just(count), 1..=most)
            })
            .prop_flat_map(|(kind, count, max_choices)| {
                let ballot = proptest::sample::subsequence(options(count), 1..=max_choices);
                let ballots = proptest::collection::vec(ballot.prop_shuffle(), 0..40);
                (Just(Rules { kind, max_choices }), Just(options(count)), ballots)
            })
            .prop_flat_map(|(rules, options, ballots)| {
                (Just(rules), Just(options), Just(ballots.clone()), Just(ballots).prop_shuffle())
            })
    }

    proptest! {
        #[test]
        fn every_mark_is_counted_once_and_order_does_not_matter((rules, options, ballots, shuffled) in polls()) {
            let result = count(rules, &options, &ballots);
            let marks: usize = ballots.iter().map(Vec::len).sum();
            prop_assert_eq!(result.votes.iter().sum::<i64>(), i64::try_from(marks).unwrap());
            prop_assert_eq!(result.ballots, i64::try_from(ballots.len()).unwrap());
            prop_assert!(result.votes.iter().all(|votes| *votes <= result.ballots));
            prop_assert_eq!(&count(rules, &options, &shuffled), &result);
            // The same ballots counted in groups, as the database hands them out.
            let mut seen: Vec<&Vec<PollOptionId>> = Vec::new();
            let mut grouped = Counter::new(rules, &options);
            for ballot in &ballots {
                if !seen.contains(&ballot) {
                    seen.push(ballot);
                    grouped.add(ballot, i64::try_from(ballots.iter().filter(|other| *other == ballot).count()).unwrap()).unwrap();
                }
            }
            prop_assert_eq!(&grouped.finish(), &result);
        }

        #[test]
        fn winners_are_those_that_nobody_beats((rules, options, ballots, _) in polls()) {
            let result = count(rules, &options, &ballots);
            let votes = |id: &PollOptionId| result.votes[options.iter().position(|option| option == id).unwrap()];
            if rules.kind == PollKind::YesNo {
                let wins = |place: usize| result.winners.contains(&options[place]);
                prop_assert_eq!(wins(0), result.votes[0] > result.votes[1]);
                prop_assert_eq!(wins(1), result.votes[1] > result.votes[0]);
                prop_assert!(result.winners.len() <= 1);
            } else {
                for option in &options {
                    let beaten = options.iter().any(|other| votes(other) > votes(option));
                    prop_assert_eq!(result.winners.contains(option), !beaten && !ballots.is_empty());
                }
            }
        }

        #[test]
        fn one_more_vote_never_hurts_a_winner((rules, options, ballots, _) in polls()) {
            let before = count(rules, &options, &ballots);
            for winner in &before.winners {
                let more: Vec<_> = ballots.iter().cloned().chain([vec![*winner]]).collect();
                prop_assert_eq!(count(rules, &options, &more).winners, vec![*winner]);
            }
        }
    }

    #[test]
    fn a_tie_has_several_winners_and_no_ballot_none() {
        let known = options(3);
        let rules = Rules { kind: PollKind::Single, max_choices: 1 };
        let tie = count(rules, &known, &[vec![known[2]], vec![known[0]]]);
        assert_eq!(tie.winners, [known[0], known[2]]);
        assert_eq!(tie.explanation, Explanation::Plurality { winning_votes: 1, tied: true });
        assert_eq!(count(rules, &known, &[]).winners, []);
    }

    #[test]
    fn abstentions_never_win() {
        let known = options(3);
        let rules = Rules { kind: PollKind::YesNo, max_choices: 1 };
        let (yes, no, abstain) = (vec![known[0]], vec![known[1]], vec![known[2]]);
        let result = count(rules, &known, &[abstain.clone(), abstain.clone(), yes.clone()]);
        assert_eq!(result.winners, [known[0]]);
        let even = count(rules, &known, &[yes, no.clone()]);
        assert_eq!(
            (even.winners.len(), even.explanation),
            (0, Explanation::YesNo { yes: 1, no: 1, abstain: 0, adopted: false })
        );
        assert_eq!(count(rules, &known, &[no]).winners, [known[1]]);
        let foreign = Counter::new(rules, &known[..1]).add(&abstain, 1);
        assert_eq!(foreign.unwrap_err().pointer, "/choices/0");
    }
}
