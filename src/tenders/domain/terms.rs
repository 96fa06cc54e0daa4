//! What a contract is made of: parts with a day and an amount.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::mistake::Mistake;

/// More parts than this is no plan.
const MAX_TERMS: usize = 20;

/// A part of a contract, paid when it is accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Term {
    /// 1 for the first; the parts count up.
    pub seq: i64,
    /// What is to be done.
    pub title: String,
    /// By when.
    pub due_at: DateTime<Utc>,
    /// For how much.
    pub amount_fen: i64,
}

/// A milestone that a contract has already.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it says.
    pub term: Term,
    /// Whether work on it was handed in or accepted: then it stays as it is.
    pub fixed: bool,
}

/// Whether parts make a price: each above zero, counting up, together exactly the price, which is not above what is committed;
/// and none of those that are fixed is changed or left out.
pub fn check_terms(price_fen: i64, committed_fen: i64, held: &[Held], terms: &[Term]) -> Result<(), Mistake> {
    if price_fen < 1 || price_fen > committed_fen {
        return Err(Mistake::at(
            "/price_fen",
            "价款须大于零且不超过已安排的资金 / above zero, at most what is committed",
        ));
    }
    if terms.is_empty() || terms.len() > MAX_TERMS {
        return Err(Mistake::at("/milestones", "须有1至20个节点 / 1 to 20 milestones"));
    }
    let mut last = 0;
    for (at, term) in terms.iter().enumerate() {
        if term.amount_fen < 1 {
            return Err(Mistake::at(format!("/milestones/{at}/amount_fen"), "须大于零 / must be above zero"));
        }
        if term.seq <= last {
            return Err(Mistake::at(format!("/milestones/{at}/seq"), "序号须递增 / must count up"));
        }
        last = term.seq;
    }
    let sum = terms.iter().try_fold(0_i64, |sum, term| sum.checked_add(term.amount_fen));
    if sum != Some(price_fen) {
        return Err(Mistake::at("/milestones", "各节点金额之和须等于价款 / the amounts must add up to the price"));
    }
    let kept = |held: &&Held| terms.contains(&held.term);
    if held.iter().filter(|held| held.fixed).any(|held| !kept(&held)) {
        return Err(Mistake::at(
            "/milestones",
            "已提交或已验收的节点不能更改 / submitted or accepted milestones stay as they are",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn term(seq: i64, amount_fen: i64) -> Term {
        Term { seq, title: "节点".to_owned(), due_at: DateTime::UNIX_EPOCH, amount_fen }
    }

    proptest! {
        #[test]
        fn whatever_passes_adds_up_and_keeps_what_is_fixed(
            price in 1_i64..500, committed in 1_i64..500, amounts in proptest::collection::vec(0_i64..200, 0..5),
            fixed in proptest::collection::vec(any::<bool>(), 5), changed in any::<bool>()
        ) {
            let terms: Vec<_> = amounts.iter().zip(1..).map(|(amount, seq)| term(seq, *amount)).collect();
            let held: Vec<_> = terms.iter().zip(&fixed).map(|(term, fixed)| {
                let mut term = term.clone();
                term.amount_fen += i64::from(changed);
                Held { term, fixed: *fixed }
            }).collect();
            if check_terms(price, committed, &held, &terms).is_ok() {
                prop_assert_eq!(amounts.iter().sum::<i64>(), price);
                prop_assert!(price <= committed);
                prop_assert!(held.iter().filter(|held| held.fixed).all(|held| terms.contains(&held.term)));
            }
        }
    }

    #[test]
    fn numbers_count_up() {
        let pointer = |terms: &[Term]| check_terms(10, 10, &[], terms).err().map(|mistake| mistake.pointer);
        assert_eq!(pointer(&[term(1, 4), term(3, 6)]), None);
        assert_eq!(pointer(&[term(1, 4), term(1, 6)]).as_deref(), Some("/milestones/1/seq"));
        assert_eq!(pointer(&[term(0, 10)]).as_deref(), Some("/milestones/0/seq"));
    }
}
