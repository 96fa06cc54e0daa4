//! How a sorted set keeps a board: one whole number a person, so that ascending numbers, and for equal ones ascending ids, are
//! the board from its first line to its last.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// 2026-01-01T00:00:00Z. Scores were reached since; what is said to be older counts as this.
const BEGIN: i64 = 1_767_225_600;
/// Bits of the second in which a score was reached: until 2043-01-05. Later ones count as the last.
const SECOND_BITS: u32 = 29;
/// The last second.
const LAST_SECOND: i64 = (1 << SECOND_BITS) - 1;
/// The most points that fit: 24 bits, so that everything stays below 2^53. Somebody with more cannot stand in a sorted set.
pub const MOST: i64 = (1 << 24) - 1;
/// Scores with equal points are of one group.
pub const GROUP: u64 = 1 << SECOND_BITS;
/// A member of every set, behind all others: a set without people is there nevertheless, and not missing.
pub const END: (Uuid, u64) = (Uuid::nil(), (1 << 53) - 1);

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Not on the board.
    Nowhere,
    /// Here.
    At(u64),
    /// A sorted set has no room for so many points: the board is read from the rows.
    Beyond,
}

/// The second that counts for who reached a score first.
pub fn second(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp().clamp(BEGIN, BEGIN + LAST_SECOND), 0).unwrap_or(at)
}

/// The packed score: who has more points has the smaller one; of equal points, who had them first.
pub fn place(points: i64, reached_at: DateTime<Utc>) -> Place {
    if points < 1 {
        return Place::Nowhere;
    }
    let seconds = (reached_at.timestamp() - BEGIN).clamp(0, LAST_SECOND);
    match u64::try_from(((MOST - points) << SECOND_BITS) | seconds) {
        Ok(score) if points <= MOST => Place::At(score),
        _ => Place::Beyond,
    }
}

/// The points of a packed score.
pub fn points(score: u64) -> i64 {
    MOST - i64::try_from(score >> SECOND_BITS).unwrap_or(MOST)
}

/// How long the set of a period (`Period::key`) is kept: it never ends before the period, and is gone one period later.
pub fn kept(period: &str) -> Duration {
    let days = match period.len() {
        7 => 32,
        8 => 8,
        _ => 367,
    };
    Duration::from_hours(24 * days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn packed(points: i64, second: i64) -> u64 {
        match place(points, at(second)) {
            Place::At(score) => score,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(at(BEGIN).to_string(), "2026-01-01 00:00:00 UTC");
        assert_eq!(at(BEGIN + LAST_SECOND).date_naive().to_string(), "2043-01-05");
        assert_eq!(packed(MOST, BEGIN), 0);
        assert!(packed(1, BEGIN + LAST_SECOND) < END.1 && END.1 == (1 << 53) - 1);
        assert_eq!(place(0, at(BEGIN)), Place::Nowhere);
        assert_eq!(place(MOST + 1, at(BEGIN)), Place::Beyond);
        assert_eq!(place(i64::MAX, at(BEGIN)), Place::Beyond);
        // Clamped: neither another's points nor the order of points is touched.
        assert_eq!(
            (packed(5, 0), packed(5, BEGIN + LAST_SECOND + 9)),
            (packed(5, BEGIN), packed(5, BEGIN + LAST_SECOND))
        );
        assert_eq!((second(at(0)), second(at(BEGIN + 7))), (at(BEGIN), at(BEGIN + 7)));
    }

    #[test]
    fn a_set_outlives_its_period() {
        let days = |period| kept(period).as_secs() / 86_400;
        assert_eq!(["2026-W48", "2026-11", "2026", "all"].map(days), [8, 32, 367, 367]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_order_of_packed_scores_is_the_boards(
            one in (1..=MOST, 0..=LAST_SECOND), other in (1..=MOST, 0..=LAST_SECOND), near in 0..3_i64,
        ) {
            for other in [other, ((one.0 - near).max(1), other.1), (one.0, one.1.saturating_sub(near))] {
                let (a, b) = (packed(one.0, BEGIN + one.1), packed(other.0, BEGIN + other.1));
                // Points descending, then the second ascending.
                prop_assert_eq!(a.cmp(&b), other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
                prop_assert_eq!(a / GROUP == b / GROUP, one.0 == other.0);
            }
        }

        #[test]
        #[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        fn a_double_holds_it_exactly(points in 1..=MOST, second in 0..=LAST_SECOND) {
            let score = packed(points, BEGIN + second);
            prop_assert!(score < 1 << 53);
            prop_assert_eq!((score as f64) as u64, score);
            prop_assert_eq!(super::points(score), points);
        }
    }
}
