//! The rules of shifts: what a sign-up may become, when one may check in, what presence is worth.

use chrono::{DateTime, FixedOffset, SubsecRound, TimeDelta, Utc};

use super::SignupState;

use Event::{Accept, Cancel, CheckIn, CheckOut, Credit, Excuse, Forget, Lapse, Miss, Offer};
use SignupState::{
    Cancelled, CheckedIn, CheckedOut, Confirmed, Credited, Excused, InReview, NoShow, Offered, Waitlisted,
};

/// What happens to a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A seat became free and is held for the person.
    Offer,
    /// The person takes the offered seat.
    Accept,
    /// The person steps back before the shift begins.
    Cancel,
    /// An offer ran out, or the shift began with the person still waiting.
    Lapse,
    /// The person came.
    CheckIn,
    /// The person left.
    CheckOut,
    /// Somebody else confirmed the minutes.
    Credit,
    /// The person came and never checked out: somebody must say until when they were there.
    Forget,
    /// The person never came.
    Miss,
    /// The person never came, and had a reason.
    Excuse,
}

/// All that can happen: state, event, next state. Everything else is refused.
pub const TRANSITIONS: &[(SignupState, Event, SignupState)] = &[
    (Waitlisted, Offer, Offered),
    (Waitlisted, Cancel, Cancelled),
    (Waitlisted, Lapse, Cancelled),
    (Offered, Accept, Confirmed),
    (Offered, Cancel, Cancelled),
    (Offered, Lapse, Cancelled),
    (Confirmed, Cancel, Cancelled),
    (Confirmed, CheckIn, CheckedIn),
    (Confirmed, Miss, NoShow),
    (CheckedIn, CheckOut, CheckedOut),
    (CheckedIn, Forget, InReview),
    (InReview, CheckOut, CheckedOut),
    (CheckedOut, Credit, Credited),
    (NoShow, Excuse, Excused),
];

/// The states that take up a seat of the shift.
pub const SEATED: [SignupState; 8] = [Offered, Confirmed, CheckedIn, InReview, CheckedOut, Credited, NoShow, Excused];

/// The states that take up the person's time, so that no other of their sign-ups may overlap.
pub const LIVE: [SignupState; 7] = [Waitlisted, Offered, Confirmed, CheckedIn, InReview, CheckedOut, Credited];

/// What a state becomes by an event, if that may happen to it.
pub fn next(state: SignupState, event: Event) -> Option<SignupState> {
    TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (state, event)).map(|(_, _, to)| *to)
}

/// A shift at most this long.
pub const LONGEST: TimeDelta = TimeDelta::hours(24);
/// A shift planned at most this far ahead.
pub const FARTHEST: TimeDelta = TimeDelta::days(366);
/// One may check out with the code until so long after the shift; what is counted ends with the shift.
pub const CHECK_OUT_GRACE: TimeDelta = TimeDelta::minutes(30);
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
        format!("{}–{}", moment(self.from, "%-m月%-d日 %H:%M"), moment(self.to, "%H:%M"))
    }
}

/// `11月25日 07:30`.
pub fn moment_text(at: DateTime<Utc>) -> String {
    moment(at, "%-m月%-d日 %H:%M")
}

fn moment(at: DateTime<Utc>, format: &str) -> String {
    FixedOffset::east_opt(8 * 3600)
        .map_or_else(|| at.to_rfc3339(), |zone| at.with_timezone(&zone).format(format).to_string())
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
            Self::In => CheckIn,
            Self::Out => CheckOut,
        }
    }

    /// The state after it; a repetition finds the sign-up there and changes nothing.
    pub const fn reached(self) -> SignupState {
        match self {
            Self::In => CheckedIn,
            Self::Out => CheckedOut,
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

/// How many of the thresholds (hours, rising) somebody has reached.
pub fn stars(minutes: i64, thresholds: &[i64]) -> usize {
    thresholds.iter().filter(|hours| hours.saturating_mul(60) <= minutes).count()
}

/// A check-in code changes this often (seconds).
const CODE_SECONDS: i64 = 30;

/// The number of the code's time at `now`.
pub fn code_window(now: DateTime<Utc>) -> i64 {
    now.timestamp().div_euclid(CODE_SECONDS)
}

/// The times whose codes are good at `now`: this one, and the one before for whoever scanned at its end.
pub fn good_windows(now: DateTime<Utc>) -> [i64; 2] {
    [code_window(now), code_window(now) - 1]
}

/// When a time's code stops being good.
pub fn code_expires(window: i64) -> DateTime<Utc> {
    DateTime::from_timestamp((window + 2) * CODE_SECONDS, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sea_orm::Iterable;
    use std::collections::HashSet;
    use std::fmt::Write;

    /// Where a sign-up begins: with a seat or without.
    const BEGINNINGS: [SignupState; 2] = [Confirmed, Waitlisted];

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
        fn stars_only_rise(minutes in 0_i64..200_000, more in 0_i64..10_000) {
            let thresholds = [100, 300, 600, 1000, 1500];
            prop_assert!(stars(minutes, &thresholds) <= stars(minutes + more, &thresholds));
        }

        #[test]
        fn an_offer_ends_no_later_than_the_shift_begins(shift in spans(), before in 1_i64..100_000, minutes in 0_i64..10_000) {
            let now = shift.from - TimeDelta::seconds(before);
            let until = offer_until(now, minutes, shift);
            prop_assert!(now <= until && until <= shift.from);
        }

        #[test]
        fn a_code_is_good_from_its_window_until_it_expires(made in 0_i64..1_000_000, later in 0_i64..200) {
            let window = code_window(at(made));
            let good = good_windows(at(made + later)).contains(&window);
            prop_assert_eq!(good, at(made + later) < code_expires(window));
        }
    }

    #[test]
    fn a_star_is_reached_at_its_hour() {
        let thresholds = [100, 300, 600, 1000, 1500];
        assert_eq!([5999, 6000, 18_000, 89_999, 90_000].map(|minutes| stars(minutes, &thresholds)), [0, 1, 2, 4, 5]);
    }

    #[test]
    fn the_table_is_a_function_and_every_state_can_be_reached() {
        let pairs: HashSet<_> = TRANSITIONS.iter().map(|(from, by, _)| (from, by)).collect();
        assert_eq!(pairs.len(), TRANSITIONS.len());
        let mut reached: HashSet<SignupState> = BEGINNINGS.into();
        for _ in TRANSITIONS {
            let more: Vec<_> =
                TRANSITIONS.iter().filter(|(from, ..)| reached.contains(from)).map(|(.., to)| *to).collect();
            reached.extend(more);
        }
        assert_eq!(reached, SignupState::iter().collect());
    }

    #[test]
    fn what_is_over_stays_so_and_a_seat_is_never_taken_by_the_way() {
        for (from, event, to) in TRANSITIONS {
            assert!(!matches!(from, Cancelled | Excused | Credited));
            // Only an offer takes a seat and only stepping back or an offer's end gives one up: the service counts on it.
            let (had, has) = (SEATED.contains(from), SEATED.contains(to));
            assert_eq!(!had && has, *event == Offer);
            assert_eq!(had && !has, matches!(event, Cancel | Lapse) && had);
        }
    }

    /// The docs' picture of [`TRANSITIONS`].
    fn diagram() -> String {
        let mut text = String::from("stateDiagram-v2\n");
        for state in BEGINNINGS {
            writeln!(text, "    [*] --> {state}").unwrap();
        }
        for (from, event, to) in TRANSITIONS {
            writeln!(text, "    {from} --> {to}: {event:?}").unwrap();
        }
        text
    }

    #[test]
    fn the_docs_show_this_table() {
        let page = include_str!("../../docs/capabilities/volunteering.md");
        assert!(page.contains(&diagram()), "put this into the page:\n{}", diagram());
    }
}
