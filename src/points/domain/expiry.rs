//! When points expire.

use chrono::{DateTime, Months, Utc};

use crate::platform::calendar::{day, day_end};

/// When points earned at `at` expire: with the day so many months later (the month's last where it has no such day).
/// Never for 0 months.
pub fn expires_at(at: DateTime<Utc>, months: i64) -> Option<DateTime<Utc>> {
    let months = u32::try_from(months).ok().filter(|months| *months > 0)?;
    day(at).checked_add_months(Months::new(months)).map(day_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_expire_with_chinas_day() {
        let expires = |at: &str, months| expires_at(at.parse().unwrap(), months).map(|at| at.to_rfc3339());
        // 23:59 in China.
        assert_eq!(expires("2026-11-24T15:59:00Z", 24).unwrap(), "2028-11-24T15:59:59.999999+00:00");
        // Midnight has passed.
        assert_eq!(expires("2026-11-24T16:00:00Z", 24).unwrap(), "2028-11-25T15:59:59.999999+00:00");
        assert_eq!(expires("2026-08-31T04:00:00Z", 6).unwrap(), "2027-02-28T15:59:59.999999+00:00");
        assert_eq!(expires("2026-08-31T04:00:00Z", 0), None);
    }
}
