//! What minutes are worth.

/// How many of the thresholds (hours, rising) somebody has reached.
pub fn stars(minutes: i64, thresholds: &[i64]) -> usize {
    thresholds.iter().filter(|hours| hours.saturating_mul(60) <= minutes).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stars_only_rise(minutes in 0_i64..200_000, more in 0_i64..10_000) {
            let thresholds = [100, 300, 600, 1000, 1500];
            prop_assert!(stars(minutes, &thresholds) <= stars(minutes + more, &thresholds));
        }
    }

    #[test]
    fn a_star_is_reached_at_its_hour() {
        let thresholds = [100, 300, 600, 1000, 1500];
        assert_eq!([5999, 6000, 18_000, 89_999, 90_000].map(|minutes| stars(minutes, &thresholds)), [0, 1, 2, 4, 5]);
    }
}
