//! What reviews and votes are worth. Figures are integers in millionths of the whole ([`WHOLE`]), each made of integers by one
//! division that rounds down, so that a reader with a calculator redoes every ranking exactly.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A criterion by which experts score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, garde::Validate)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Names it in reviews.
    #[garde(custom(word))]
    pub key: String,
    /// Chinese.
    #[garde(custom(crate::platform::http::text::line(30)))]
    pub title: String,
    /// How much it counts beside the others.
    #[garde(range(min = 1, max = 100))]
    pub weight: i64,
    /// The most that can be given.
    #[garde(range(min = 1, max = 100))]
    pub maximum: i64,
}

/// A word of small letters, digits and underscores, as keys are.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "garde's signature")]
fn word(text: &str, (): &()) -> garde::Result {
    let right = (1..=30).contains(&text.len())
        && text.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_');
    if right {
        Ok(())
    } else {
        Err(garde::Error::new("1 至 30 个小写字母、数字、下划线 / 1 to 30 of a-z, 0-9, _"))
    }
}

/// One, in millionths.
pub const WHOLE: i64 = 1_000_000;

/// What a review is worth: the sum of weight × score ÷ maximum, over the sum of the weights, in millionths, rounded down once.
/// `scores` go with the criteria, each from 0 to its maximum; nothing if they do not.
pub fn points(rubric: &[Criterion], scores: &[i64]) -> Option<i64> {
    if rubric.is_empty() || rubric.len() != scores.len() {
        return None;
    }
    // One denominator for all: at most ten maxima of at most a hundred.
    let common: i128 = rubric.iter().map(|criterion| i128::from(criterion.maximum)).product();
    let mut above = 0;
    for (criterion, score) in rubric.iter().zip(scores) {
        if !(0..=criterion.maximum).contains(score) {
            return None;
        }
        above += i128::from(criterion.weight) * i128::from(*score) * (common / i128::from(criterion.maximum));
    }
    let weights: i128 = rubric.iter().map(|criterion| i128::from(criterion.weight)).sum();
    i64::try_from(above * i128::from(WHOLE) / (common * weights)).ok()
}

/// The mean of several reviews, rounded down; 0 of none.
pub fn mean(reviews: &[i64]) -> i64 {
    let sum: i128 = reviews.iter().map(|points| i128::from(*points)).sum();
    let count = i128::try_from(reviews.len()).unwrap_or(i128::MAX);
    sum.checked_div(count).and_then(|mean| i64::try_from(mean).ok()).unwrap_or_default()
}

/// A share of ballots, rounded down; 0 of none.
pub fn share(votes: i64, ballots: i64) -> i64 {
    let above = i128::from(votes.clamp(0, ballots.max(0))) * i128::from(WHOLE);
    above.checked_div(i128::from(ballots)).and_then(|share| i64::try_from(share).ok()).unwrap_or_default()
}

/// Experts and residents together, in hundred-millionths: `expert_weight` (0 to 100) × experts + the rest × residents.
pub fn weighted(expert_weight: i64, experts: i64, residents: i64) -> i64 {
    let weight = expert_weight.clamp(0, 100);
    weight * experts + (100 - weight) * residents
}

#[cfg(test)]
#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "a test compares with floating point")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rubrics() -> impl Strategy<Value = (Vec<Criterion>, Vec<i64>)> {
        let one =
            (1_i64..=100, 1_i64..=100).prop_flat_map(|(weight, maximum)| (Just(weight), Just(maximum), 0..=maximum));
        proptest::collection::vec(one, 1..=10).prop_map(|all| {
            let criteria = all.iter().enumerate().map(|(at, (weight, maximum, _))| Criterion {
                key: format!("c{at}"),
                title: "x".into(),
                weight: *weight,
                maximum: *maximum,
            });
            (criteria.collect(), all.iter().map(|(.., score)| *score).collect())
        })
    }

    proptest! {
        #[test]
        fn a_review_lies_between_nothing_and_the_whole((rubric, scores) in rubrics()) {
            let all: Vec<_> = rubric.iter().map(|criterion| criterion.maximum).collect();
            prop_assert_eq!(points(&rubric, &all), Some(WHOLE));
            prop_assert_eq!(points(&rubric, &vec![0; rubric.len()]), Some(0));
            let worth = points(&rubric, &scores).unwrap();
            prop_assert!((0..=WHOLE).contains(&worth));
            // The same by floating point, within what that loses.
            let weights: i64 = rubric.iter().map(|criterion| criterion.weight).sum();
            let sum: f64 = rubric.iter().zip(&scores)
                .map(|(criterion, score)| criterion.weight as f64 * *score as f64 / criterion.maximum as f64).sum();
            prop_assert!((sum / weights as f64 * 1e6 - worth as f64).abs() < 1.01);
        }

        #[test]
        fn a_higher_score_is_never_worth_less((rubric, scores) in rubrics(), at in 0_usize..10) {
            let at = at % scores.len();
            let mut more = scores.clone();
            more[at] = rubric[at].maximum;
            prop_assert!(points(&rubric, &more) >= points(&rubric, &scores));
            more[at] += 1;
            prop_assert_eq!(points(&rubric, &more), None);
        }

        #[test]
        fn the_mean_lies_among_its_reviews_in_any_order(mut reviews in proptest::collection::vec(0..=WHOLE, 1..30)) {
            let of_all = mean(&reviews);
            reviews.sort_unstable();
            prop_assert_eq!(mean(&reviews), of_all);
            prop_assert!(reviews[0] <= of_all && of_all <= reviews[reviews.len() - 1]);
        }

        #[test]
        fn a_weighted_score_lies_between_its_two(weight in 0_i64..=100, experts in 0..=WHOLE, residents in 0..=WHOLE) {
            let total = weighted(weight, experts, residents);
            prop_assert!(100 * experts.min(residents) <= total && total <= 100 * experts.max(residents));
        }

        #[test]
        fn a_share_grows_with_its_votes(votes in 0_i64..1000, more in 0_i64..1000, ballots in 0_i64..1000) {
            prop_assert!((0..=WHOLE).contains(&share(votes, ballots)));
            prop_assert!(share(votes + more, ballots) >= share(votes, ballots));
        }
    }

    #[test]
    fn a_review_is_what_the_docs_say() {
        let criterion = |weight, maximum| Criterion { key: "a".into(), title: "x".into(), weight, maximum };
        // (40·8/10 + 60·1/3) / 100 = 0.52
        assert_eq!(points(&[criterion(40, 10), criterion(60, 3)], &[8, 1]), Some(520_000));
        assert_eq!((mean(&[]), share(1, 0), share(1, 3)), (0, 0, 333_333));
        assert_eq!(weighted(70, 520_000, 333_333), 46_399_990);
    }
}
