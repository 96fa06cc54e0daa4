//! China's calendar, which has one time zone and no summer time.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

const OFFSET: TimeDelta = TimeDelta::hours(8);

/// What clocks in China show.
pub fn local(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc() + OFFSET
}

/// The day that it is in China.
pub fn day(at: DateTime<Utc>) -> NaiveDate {
    local(at).date()
}

/// When a day begins in China.
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc().checked_sub_signed(OFFSET).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// The last moment of a day in China, to the microsecond that the databases keep.
pub fn day_end(day: NaiveDate) -> DateTime<Utc> {
    midnight(day) + TimeDelta::days(1) - TimeDelta::microseconds(1)
}

/// What China's clocks show, in chrono's format: `%-m月%-d日 %H:%M`.
pub fn text(at: DateTime<Utc>, format: &str) -> String {
    local(at).format(format).to_string()
}

/// `2026年11月25日`.
pub fn day_text(day: NaiveDate) -> String {
    day.format("%Y年%-m月%-d日").to_string()
}

/// SQL for China's day of a time, as `2026-11-25`.
pub fn day_sql(postgres: bool, column: &str) -> String {
    if postgres {
        format!("to_char({column} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')")
    } else {
        format!("date({column}, '+8 hours')")
    }
}

/// A month: what statements and summaries are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(NaiveDate);

impl Month {
    /// The month that a moment lies in.
    pub fn of(at: DateTime<Utc>) -> Self {
        Self::with(day(at))
    }

    fn with(day: NaiveDate) -> Self {
        Self(day.with_day(1).unwrap_or(day))
    }

    /// The one before it.
    #[must_use]
    pub fn before(self) -> Self {
        Self::with(self.0.pred_opt().unwrap_or(self.0))
    }

    /// The one after it.
    #[must_use]
    pub fn after(self) -> Self {
        Self::with(self.0 + TimeDelta::days(31))
    }

    /// Its first moment.
    pub fn starts(self) -> DateTime<Utc> {
        midnight(self.0)
    }

    /// The first moment after it.
    pub fn ends(self) -> DateTime<Utc> {
        self.after().starts()
    }

    /// The newest month that is over, and over so long that whatever a request did in it has been committed: a request lasts
    /// seconds, and what a month's figures once said must stay true.
    pub fn last_over(now: DateTime<Utc>) -> Self {
        Self::of(now - TimeDelta::minutes(10)).before()
    }
}

/// `2026-11`
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// Not `YYYY-MM`.
#[derive(Debug, thiserror::Error)]
#[error("not a month, such as 2026-11")]
pub struct NotAMonth;

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        let month = year.parse().ok().zip(month.parse().ok());
        let month = month.and_then(|(year, month)| NaiveDate::from_ymd_opt(year, month, 1)).map(Self);
        // Numbers can be written in more ways than one, a month cannot.
        month.filter(|month| month.to_string() == text).ok_or(NotAMonth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        assert_eq!(day(at("2026-11-30T15:59:59Z")).to_string(), "2026-11-30");
        assert_eq!(day(at("2026-11-30T16:00:00Z")).to_string(), "2026-12-01");
        let first = day(at("2026-11-30T16:00:00Z"));
        assert_eq!(midnight(first), at("2026-11-30T16:00:00Z"));
        assert_eq!(day_end(first), at("2026-12-01T15:59:59.999999Z"));
        assert_eq!(day_text(first), "2026年12月1日");
        assert_eq!(text(at("2026-11-30T16:05:00Z"), "%-m月%-d日 %H:%M"), "12月1日 00:05");
    }

    #[test]
    fn a_month_begins_at_midnight_in_china() {
        assert_eq!(Month::of(at("2026-11-30T15:59:59Z")).to_string(), "2026-11");
        assert_eq!(Month::of(at("2026-11-30T16:00:00Z")).to_string(), "2026-12");
        let month: Month = "2026-12".parse().unwrap();
        assert_eq!((month.starts(), month.ends()), (at("2026-11-30T16:00:00Z"), at("2026-12-31T16:00:00Z")));
        for wrong in ["2026", "2026-13", "2026-1", "26-0001", "+026-01", "abcd-ef"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_month_is_over_when_its_last_requests_are() {
        assert_eq!(Month::last_over(at("2026-11-30T16:09:59Z")).to_string(), "2026-10");
        assert_eq!(Month::last_over(at("2026-11-30T16:10:00Z")).to_string(), "2026-11");
    }

    proptest! {
        #[test]
        fn months_follow_one_another(second in 0_i64..4_000_000_000) {
            let now = DateTime::from_timestamp(second, 0).unwrap();
            let month = Month::of(now);
            prop_assert!(month.starts() <= now && now < month.ends());
            prop_assert_eq!(month.after().before(), month);
            prop_assert_eq!(month.before().ends(), month.starts());
            prop_assert_eq!(month.to_string().parse::<Month>().unwrap(), month);
        }
    }
}
