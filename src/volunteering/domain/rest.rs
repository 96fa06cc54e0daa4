//! What one person's two shifts must leave between them.

use chrono::{DateTime, TimeDelta, Utc};

use super::Span;

/// Why one person cannot take both of two shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// They have a moment in common.
    Overlap,
    /// The later one begins before the rest after the earlier one is over.
    Rest,
}

/// Whether one person can take both. Rest is what must lie between them; exactly so much is enough.
pub fn clash(one: Span, two: Span, rest: TimeDelta) -> Option<Clash> {
    let rested = |span: Span| Span { to: span.to + rest, ..span };
    if one.overlaps(two) {
        Some(Clash::Overlap)
    } else if rested(one).overlaps(rested(two)) {
        Some(Clash::Rest)
    } else {
        None
    }
}

/// When the rest after a shift is over.
pub fn rests_until(shift: Span, minutes: i64) -> DateTime<Utc> {
    shift.to + TimeDelta::minutes(minutes.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spans() -> impl Strategy<Value = Span> {
        let at = |seconds| DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap();
        (0_i64..200_000, 1_i64..86_400).prop_map(move |(from, length)| Span { from: at(from), to: at(from + length) })
    }

    proptest! {
        #[test]
        fn a_clash_is_symmetric_and_goes_when_there_is_rest(one in spans(), length in 1_i64..86_400, gap in 0_i64..60_000, rest in 0_i64..60_000) {
            let (gap, rest) = (TimeDelta::seconds(gap), TimeDelta::seconds(rest));
            let two = Span { from: one.to + gap, to: one.to + gap + TimeDelta::seconds(length) };
            prop_assert_eq!(clash(one, two, rest), (gap < rest).then_some(Clash::Rest));
            prop_assert_eq!(clash(one, two, rest), clash(two, one, rest));
        }

        #[test]
        fn without_rest_only_an_overlap_clashes(one in spans(), two in spans()) {
            prop_assert_eq!(clash(one, two, TimeDelta::zero()), one.overlaps(two).then_some(Clash::Overlap));
        }
    }
}
