//! The rotating check-in code.

use chrono::{DateTime, Utc};

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
    }
}
