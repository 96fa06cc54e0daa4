//! What a limit counts in.

use chrono::{Datelike, NaiveDate};
use entities::rewards::LimitPeriod;

/// The name of the period that a day lies in: `2026-11-24`, `2026-W48`, `2026-11`, `2026`, `ever`.
pub fn period(of: LimitPeriod, day: NaiveDate) -> String {
    match of {
        LimitPeriod::Day => day.to_string(),
        // The ISO year: the last days of December can lie in the next year's first week.
        LimitPeriod::Week => format!("{}-W{:02}", day.iso_week().year(), day.iso_week().week()),
        LimitPeriod::Month => format!("{}-{:02}", day.year(), day.month()),
        LimitPeriod::Year => day.year().to_string(),
        LimitPeriod::Ever => "ever".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LimitPeriod::{Day, Ever, Month, Week, Year};

    #[test]
    fn periods_of_a_day() {
        let names = |day: &str| [Day, Week, Month, Year, Ever].map(|of| period(of, day.parse().unwrap()));
        assert_eq!(names("2026-11-24"), ["2026-11-24", "2026-W48", "2026-11", "2026", "ever"]);
        assert_eq!(names("2027-01-01")[1], "2026-W53", "the last week of the year before");
    }
}
