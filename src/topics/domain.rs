//! When one signs in to a deliberation, when its minutes are written, and what a decision means for needs.

use chrono::{DateTime, TimeDelta, Utc};
use entities::topics::Resolution;

/// How long after a deliberation the leader may still mark who was there.
pub(super) const LIST_OPEN: TimeDelta = TimeDelta::days(3);

/// The longest deliberation.
pub(super) const LONGEST: TimeDelta = TimeDelta::hours(12);

/// Whether the code on the screen signs somebody in: from a little before the beginning until the end.
pub(super) fn code_open(starts: DateTime<Utc>, ends: DateTime<Utc>, early_minutes: i64, now: DateTime<Utc>) -> bool {
    starts - TimeDelta::minutes(early_minutes) <= now && now < ends
}

/// Whether the leader may mark somebody: from the same moment until some days later.
pub(super) fn list_open(starts: DateTime<Utc>, ends: DateTime<Utc>, early_minutes: i64, now: DateTime<Utc>) -> bool {
    starts - TimeDelta::minutes(early_minutes) <= now && now < ends + LIST_OPEN
}

/// What residents read of a decision.
pub(super) const fn title(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::DesignProject => "设计项目",
        Resolution::HandleDirectly => "直接办理",
        Resolution::Vote => "交付表决",
        Resolution::DoNotProceed => "不予推进",
    }
}

/// What becomes of the topic's needs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consequence {
    /// They wait in the topic, for a project or for a vote.
    Wait,
    /// They get what was decided for an answer, and stay open until it is done.
    Answer,
    /// They are declined with the reason.
    Decline,
}

/// See [`Consequence`]. `adopted` is the result of a vote, once there is one.
pub(super) const fn consequence(resolution: Resolution, adopted: Option<bool>) -> Consequence {
    match (resolution, adopted) {
        (Resolution::HandleDirectly, _) | (Resolution::Vote, Some(true)) => Consequence::Answer,
        (Resolution::DoNotProceed, _) | (Resolution::Vote, Some(false)) => Consequence::Decline,
        (Resolution::DesignProject, _) | (Resolution::Vote, None) => Consequence::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sea_orm::Iterable;

    proptest! {
        #[test]
        fn whoever_can_scan_can_be_marked_and_nobody_long_before(start in 0_i64..1_000_000, lasts in 1_i64..10_000, early in 0_i64..120, at in -10_000_i64..2_000_000) {
            let time = |second: i64| DateTime::from_timestamp(1_795_000_000 + second, 0).unwrap();
            let (starts, ends, now) = (time(start), time(start + lasts), time(at));
            prop_assert!(!code_open(starts, ends, early, now) || list_open(starts, ends, early, now));
            prop_assert!(!list_open(starts, ends, early, now) || starts - TimeDelta::minutes(early) <= now);
            prop_assert!(!list_open(starts, ends, early, now) || now < ends + LIST_OPEN);
        }
    }

    #[test]
    fn only_what_is_not_pursued_or_voted_down_is_declined() {
        for resolution in Resolution::iter() {
            for adopted in [None, Some(true), Some(false)] {
                let declined = consequence(resolution, adopted) == Consequence::Decline;
                let down = resolution == Resolution::DoNotProceed
                    || (resolution == Resolution::Vote && adopted == Some(false));
                assert_eq!(declined, down);
            }
        }
    }
}
