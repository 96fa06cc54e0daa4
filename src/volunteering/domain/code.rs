//! The rotating check-in code.

use chrono::{DateTime, TimeDelta, Utc};

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

/// A phone's clock may be so far off when it scans without a network.
pub const CLOCK_DRIFT: TimeDelta = TimeDelta::seconds(60);

/// The times of whose codes one may have been scanned when a phone's clock said `device`.
pub fn scanned_windows(device: DateTime<Utc>) -> impl Iterator<Item = i64> {
    code_window(device - CLOCK_DRIFT) - 1..=code_window(device + CLOCK_DRIFT)
}

/// The moment that counts: the phone's, held within the time in which the code that it scanned was good.
pub fn proven_moment(device: DateTime<Utc>, window: i64) -> DateTime<Utc> {
    let from = DateTime::from_timestamp(window * CODE_SECONDS, 0).unwrap_or_default();
    device.clamp(from, code_expires(window) - TimeDelta::milliseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
    }

    proptest! {
        #[test]
        fn a_code_is_good_from_its_window_until_it_expires(made in 0_i64..1_000_000, later in 0_i64..200) {
            let window = code_window(at(made));
            let good = good_windows(at(made + later)).contains(&window);
            prop_assert_eq!(good, at(made + later) < code_expires(window));
        }

        #[test]
        fn what_a_scan_proves_is_a_moment_at_which_its_code_was_good(made in 0_i64..1_000_000, later in 0_i64..60, drift in -60_i64..60) {
            let window = code_window(at(made));
            prop_assume!(good_windows(at(made + later)).contains(&window));
            let device = at(made + later + drift);
            prop_assert!(scanned_windows(device).any(|known| known == window), "a clock that is a little off");
            let moment = proven_moment(device, window);
            prop_assert!(good_windows(moment).contains(&window));
            // Never further from the truth than the code's own life.
            prop_assert!((moment - at(made + later)).num_seconds().abs() <= 60);
        }
    }
}
