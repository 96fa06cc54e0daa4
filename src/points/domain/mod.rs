//! Days and periods in China, what a rule makes of something done, and when points expire.

mod earning;
mod expiry;

use chrono::{Datelike, NaiveDate};

pub use earning::{Calculation, Factor, Part, Quantity, Room, Terms, calculate, grant, text, title};
pub use expiry::expires_at;

/// What a leaderboard counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Monday to Sunday (ISO week).
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
    /// From the beginning.
    All,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Week, Self::Month, Self::Year, Self::All];

    /// The name of the period that a day lies in: `2026-W48`, `2026-11`, `2026`, `all`.
    pub fn key(self, day: NaiveDate) -> String {
        match self {
            // The ISO year: the last days of December can lie in the next year's first week.
            Self::Week => format!("{}-W{:02}", day.iso_week().year(), day.iso_week().week()),
            Self::Month => format!("{}-{:02}", day.year(), day.month()),
            Self::Year => day.year().to_string(),
            Self::All => "all".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::calendar::day;
    use chrono::{DateTime, Duration, Utc};
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn keys_of_a_day() {
        let keys = |text| Period::ALL.map(|period| period.key(day(at(text))));
        assert_eq!(keys("2026-11-24T08:00:00Z"), ["2026-W48", "2026-11", "2026", "all"]);
        // The first of January 2027 is a Friday: its week is 2026's last.
        assert_eq!(keys("2026-12-31T16:00:00Z"), ["2026-W53", "2027-01", "2027", "all"]);
        // The 30th of December 2024 is a Monday: its week is 2025's first.
        assert_eq!(keys("2024-12-30T00:00:00Z"), ["2025-W01", "2024-12", "2024", "all"]);
    }

    proptest! {
        #[test]
        fn a_week_has_seven_days_and_begins_on_monday(days in 0_i64..40_000) {
            let day = day(at("1990-01-01T00:00:00Z")) + Duration::days(days);
            let monday = day - Duration::days(day.weekday().num_days_from_monday().into());
            for ahead in 0..7 {
                prop_assert_eq!(Period::Week.key(monday + Duration::days(ahead)), Period::Week.key(day));
            }
            prop_assert_ne!(Period::Week.key(monday + Duration::days(7)), Period::Week.key(day));
            prop_assert_ne!(Period::Week.key(monday - Duration::days(1)), Period::Week.key(day));
        }
    }
}
