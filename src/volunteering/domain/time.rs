//! Half-open times, and until when what may be done.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use super::Event;
use crate::platform::calendar;
use crate::volunteering::SignupState;

/// A shift at most this long.
pub const LONGEST: TimeDelta = TimeDelta::hours(24);
/// A shift planned at most this far ahead.
pub const FARTHEST: TimeDelta = TimeDelta::days(366);
/// One may check out with the code until so long after the shift; what is counted ends with the shift.
pub const CHECK_OUT_GRACE: TimeDelta = TimeDelta::minutes(30);
/// Who has not checked out so long after the shift forgot to: somebody must say until when they were there.
pub const REVIEW_AFTER: TimeDelta = TimeDelta::hours(2);
/// Who has not checked in so long after the shift did not come.
pub const NO_SHOW_AFTER: TimeDelta = TimeDelta::hours(2);

/// A half-open time, `[from, to)`: of two that meet neither holds any of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub to: DateTime<Utc>,
}

impl Span {
    /// Whether some moment is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// Whether a moment is in it.
    pub fn contains(self, moment: DateTime<Utc>) -> bool {
        self.from <= moment && moment < self.to
    }

    /// Whole minutes that are in both.
    pub fn common_minutes(self, other: Self) -> i64 {
        (self.to.min(other.to) - self.from.max(other.from)).num_minutes().max(0)
    }

    /// A new shift's time in whole seconds, or the JSON pointer of what is wrong with it and why.
    pub fn of_shift(
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Self, (&'static str, String)> {
        let span = Self { from: from.trunc_subsecs(0), to: to.trunc_subsecs(0) };
        if span.from > now + FARTHEST {
            return Err(("/starts_at", format!("最多提前 {0} 天 / at most {0} days ahead", FARTHEST.num_days())));
        }
        if span.to <= span.from {
            return Err(("/ends_at", "须晚于开始时间 / must be after starts_at".to_owned()));
        }
        if span.to - span.from > LONGEST {
            return Err(("/ends_at", format!("最长 {0} 小时 / at most {0} hours long", LONGEST.num_hours())));
        }
        // One that has begun is fine: help that comes together on the spot is written down as well.
        if span.to <= now {
            return Err(("/ends_at", "须晚于现在 / must lie in the future".to_owned()));
        }
        Ok(span)
    }

    /// `11月25日 08:00–16:00` in China's one time zone.
    pub fn text(self) -> String {
        format!("{}–{}", calendar::text(self.from, "%-m月%-d日 %H:%M"), calendar::text(self.to, "%H:%M"))
    }
}

/// `11月25日 07:30`.
pub fn moment_text(at: DateTime<Utc>) -> String {
    calendar::text(at, "%-m月%-d日 %H:%M")
}

/// Coming and leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Checks in.
    In,
    /// Checks out.
    Out,
}

impl Step {
    /// What it does to a sign-up.
    pub const fn event(self) -> Event {
        match self {
            Self::In => Event::CheckIn,
            Self::Out => Event::CheckOut,
        }
    }

    /// The state after it; a repetition finds the sign-up there and changes nothing.
    pub const fn reached(self) -> SignupState {
        match self {
            Self::In => SignupState::CheckedIn,
            Self::Out => SignupState::CheckedOut,
        }
    }

    /// Its word in the audit log and in the stored proof.
    pub const fn word(self) -> &'static str {
        match self {
            Self::In => "check_in",
            Self::Out => "check_out",
        }
    }

    /// When it may be done. Checking in ends with the shift. Checking out ends a little later with the code, and never for the
    /// leader's mark: somebody may have forgotten, and nothing after the shift counts.
    pub fn open(self, shift: Span, early: TimeDelta, by_mark: bool) -> Span {
        let to = match (self, by_mark) {
            (Self::In, _) => shift.to,
            (Self::Out, false) => shift.to + CHECK_OUT_GRACE,
            (Self::Out, true) => DateTime::<Utc>::MAX_UTC,
        };
        Span { from: shift.from - early, to }
    }
}

/// Until when a seat that becomes free at `now` is held for somebody.
pub fn offer_until(now: DateTime<Utc>, minutes: i64, shift: Span) -> DateTime<Utc> {
    (now + TimeDelta::minutes(minutes)).min(shift.from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
    }

    fn spans() -> impl Strategy<Value = Span> {
        (0_i64..200_000, 1_i64..86_400).prop_map(|(from, length)| Span { from: at(from), to: at(from + length) })
    }

    proptest! {
        #[test]
        fn overlap_is_symmetric_and_half_open(a in spans(), b in spans()) {
            prop_assert_eq!(a.overlaps(b), b.overlaps(a));
            prop_assert!(a.overlaps(a));
            let after = Span { from: a.to, to: a.to + (b.to - b.from) };
            prop_assert!(!a.overlaps(after) && !after.overlaps(a));
            // Two overlap exactly when one holds the other's beginning.
            prop_assert_eq!(a.overlaps(b), a.contains(b.from) || b.contains(a.from));
        }

        #[test]
        fn minutes_are_within_shift_and_presence_and_add_up(shift in spans(), presence in spans(), cut in 0.0..1.0_f64) {
            let minutes = presence.common_minutes(shift);
            prop_assert_eq!(minutes, shift.common_minutes(presence));
            prop_assert!(0 <= minutes && minutes <= (shift.to - shift.from).num_minutes());
            prop_assert!(minutes <= (presence.to - presence.from).num_minutes());
            prop_assert!(minutes == 0 || presence.overlaps(shift));
            // Leaving later never costs minutes, and splitting a presence gains none.
            let later = Span { to: presence.to + TimeDelta::minutes(7), ..presence };
            prop_assert!(later.common_minutes(shift) >= minutes);
            let length = (presence.to - presence.from).num_seconds();
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::as_conversions)]
            let middle = presence.from + TimeDelta::seconds((length as f64 * cut) as i64);
            let (one, two) = (Span { to: middle, ..presence }, Span { from: middle, ..presence });
            prop_assert!(one.common_minutes(shift) + two.common_minutes(shift) <= minutes);
        }

        #[test]
        fn an_offer_ends_no_later_than_the_shift_begins(shift in spans(), before in 1_i64..100_000, minutes in 0_i64..10_000) {
            let now = shift.from - TimeDelta::seconds(before);
            let until = offer_until(now, minutes, shift);
            prop_assert!(now <= until && until <= shift.from);
        }
    }
}
