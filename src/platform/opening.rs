//! When somebody is there, by the clocks of China.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// At most so many spans of a week, and so many closed days.
const SPANS: usize = 28;
const DAYS: usize = 100;

/// The hours of each week, and the days on which all the same nobody is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Up to 28 spans.
    pub weekly: Vec<Hours>,
    /// Up to 100 days.
    #[serde(default)]
    pub closed: Vec<NaiveDate>,
}

/// From a time of a weekday to another of the same day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// 1 is Monday, 7 Sunday.
    pub weekday: u32,
    /// `09:00`
    pub from: String,
    /// `17:30`; `24:00` is the end of the day.
    pub to: String,
}

impl Hours {
    /// Minutes of the day, if both are times and one comes before the other.
    fn span(&self) -> Option<(u32, u32)> {
        minute(&self.from).zip(minute(&self.to)).filter(|(from, to)| from < to)
    }
}

fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
    if !hour.bytes().chain(minute.bytes()).all(|letter| letter.is_ascii_digit()) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}

impl Opening {
    /// What is wrong with it, if anything.
    pub fn check(&self) -> Result<(), String> {
        if self.weekly.is_empty() || self.weekly.len() > SPANS || self.closed.len() > DAYS {
            return Err(format!(
                "1 至 {SPANS} 个时段、最多 {DAYS} 个休息日 / 1 to {SPANS} spans, at most {DAYS} closed days"
            ));
        }
        for hours in &self.weekly {
            if !(1..=7).contains(&hours.weekday) || hours.span().is_none() {
                return Err("星期为 1 至 7，时间如 09:00 至 17:30 / weekday 1 to 7, from before to".to_owned());
            }
        }
        Ok(())
    }

    /// Whether somebody is there at a time of China's clocks.
    pub fn is_open(&self, at: NaiveDateTime) -> bool {
        let minute = at.hour() * 60 + at.minute();
        let weekday = at.weekday().number_from_monday();
        let there = |hours: &Hours| {
            hours.weekday == weekday && hours.span().is_some_and(|(from, to)| from <= minute && minute < to)
        };
        !self.closed.contains(&at.date()) && self.weekly.iter().any(there)
    }

    /// As the clerk reads it: `周一 09:00–12:00；周二 09:00–17:30`.
    pub fn words(&self) -> String {
        const NAMES: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];
        let name = |weekday: u32| usize::try_from(weekday).ok().and_then(|day| NAMES.get(day.wrapping_sub(1))).copied();
        let spans = self
            .weekly
            .iter()
            .map(|hours| format!("周{} {}–{}", name(hours.weekday).unwrap_or_default(), hours.from, hours.to));
        spans.collect::<Vec<_>>().join("；")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(weekday: u32, from: &str, to: &str) -> Opening {
        Opening { weekly: vec![Hours { weekday, from: from.to_owned(), to: to.to_owned() }], closed: Vec::new() }
    }

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn hours_are_half_open_and_closed_days_win() {
        // The 24th of November 2026 is a Tuesday.
        let mut tuesday = opening(2, "09:00", "17:30");
        assert!(tuesday.is_open(at("2026-11-24T09:00:00")) && tuesday.is_open(at("2026-11-24T17:29:59")));
        for outside in ["2026-11-24T08:59:59", "2026-11-24T17:30:00", "2026-11-25T10:00:00"] {
            assert!(!tuesday.is_open(at(outside)), "{outside}");
        }
        tuesday.closed.push(at("2026-11-24T00:00:00").date());
        assert!(!tuesday.is_open(at("2026-11-24T10:00:00")) && tuesday.is_open(at("2026-12-01T10:00:00")));
        assert!(opening(2, "09:00", "24:00").is_open(at("2026-11-24T23:59:59")));
        assert_eq!(tuesday.words(), "周二 09:00–17:30");
    }

    #[test]
    fn wrong_hours_are_refused() {
        assert!(opening(1, "00:00", "24:00").check().is_ok());
        for (weekday, from, to) in [
            (0, "09:00", "10:00"),
            (8, "09:00", "10:00"),
            (1, "10:00", "10:00"),
            (1, "9:00", "10:00"),
            (1, "09:60", "10:00"),
            (1, "09:00", "24:01"),
            (1, "", "10:00"),
            (1, "+9:00", "10:00"),
        ] {
            assert!(opening(weekday, from, to).check().is_err(), "{weekday} {from} {to}");
        }
        assert!(Opening { weekly: Vec::new(), closed: Vec::new() }.check().is_err());
    }
}
