//! Which shifts a template makes: daily parts on the days of an RFC 5545 rule, teams in rotation.

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use rrule::{Frequency, RRule, RRuleSet, Tz, Unvalidated};

use super::Span;
use crate::platform::calendar;

/// A rule gives at most so many days.
const MOST_DAYS: u16 = 400;

/// A part of a day by China's clocks, half-open. One that ends at its start or before ends on the next day; `24:00` is the
/// midnight at the day's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Minutes after midnight.
    from: i64,
    /// Minutes after the same midnight.
    to: i64,
}

impl Part {
    /// Reads `08:00` and `16:00`; nothing if either is no time of the clock. Only an end may be `24:00`.
    pub fn read(start: &str, end: &str) -> Option<Self> {
        let (from, to) = (minutes(start).filter(|start| *start < DAY)?, minutes(end)?);
        Some(Self { from, to: if to <= from { to + DAY } else { to } })
    }
}

const DAY: i64 = 24 * 60;

fn minutes(clock: &str) -> Option<i64> {
    let (hours, minutes) = clock.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten().map(i64::from);
    let total = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
    (total <= DAY).then_some(total)
}

/// When the teams move on to the next part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// From one day of the rule to the next.
    Day,
    /// Seven days after the first day, and so on.
    Week,
}

/// Shifts to be made.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Its first day in China.
    pub from: NaiveDate,
    /// Its last day.
    pub until: NaiveDate,
    /// `FREQ=WEEKLY;BYDAY=MO,WE`
    pub rule: &'a str,
    /// Parts of each day.
    pub parts: &'a [Part],
    /// How many teams take turns.
    pub teams: usize,
    /// When they move on.
    pub rotation: Rotation,
}

/// One shift of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// When.
    pub span: Span,
    /// Which of the teams.
    pub team: Option<usize>,
}

/// The days and parts of a plan in the order of time, or the JSON pointer of what is wrong with it and why.
///
/// Part `p` of day (or week) `d` is team `(p + d) mod teams`: from day to day a team moves to the part before, so that with
/// three parts of eight hours nobody goes from the evening into the night that follows it.
pub fn expand(plan: &Plan<'_>) -> Result<Vec<Planned>, (&'static str, String)> {
    if plan.until < plan.from {
        return Err(("/until", "不能早于 from / must not be before from".to_owned()));
    }
    let mut shifts = Vec::new();
    for (at, day) in days(plan)?.into_iter().enumerate() {
        let turn = match plan.rotation {
            Rotation::Day => at,
            Rotation::Week => usize::try_from((day - plan.from).num_days() / 7).unwrap_or_default(),
        };
        let midnight = calendar::midnight(day);
        for (part, Part { from, to }) in plan.parts.iter().enumerate() {
            let span = Span { from: midnight + TimeDelta::minutes(*from), to: midnight + TimeDelta::minutes(*to) };
            shifts.push(Planned { span, team: (part + turn).checked_rem(plan.teams) });
        }
    }
    shifts.sort_by_key(|planned| planned.span.from);
    if shifts.windows(2).any(|pair| matches!(pair, [one, two] if one.span.from == two.span.from)) {
        return Err(("/parts", "开始时间重复 / two parts begin at the same time".to_owned()));
    }
    Ok(shifts)
}

/// The rule's days. They are computed as midnights in UTC, which knows no summer time: what counts is the date.
fn days(plan: &Plan<'_>) -> Result<Vec<NaiveDate>, (&'static str, String)> {
    let wrong = |why: String| ("/rule", why);
    let rule: RRule<Unvalidated> = plan.rule.parse().map_err(|error: rrule::RRuleError| wrong(error.to_string()))?;
    let by_day = matches!(rule.get_freq(), Frequency::Daily | Frequency::Weekly | Frequency::Monthly);
    let timed = [rule.get_by_hour(), rule.get_by_minute(), rule.get_by_second()].iter().any(|times| !times.is_empty());
    if !by_day || timed {
        return Err(wrong("须按日、周或月重复 / must be DAILY, WEEKLY or MONTHLY, without times".to_owned()));
    }
    if rule.get_count().is_some() || rule.get_until().is_some() {
        return Err(wrong("用 from 和 until 限定 / from and until say how long".to_owned()));
    }
    let utc = |day: NaiveDate| Tz::UTC.from_utc_datetime(&day.and_time(NaiveTime::MIN));
    let rule = rule.validate(utc(plan.from)).map_err(|error| wrong(error.to_string()))?;
    let set = RRuleSet::new(utc(plan.from)).rrule(rule).before(utc(plan.until));
    let found = set.all(MOST_DAYS);
    if found.limited {
        return Err(("/until", format!("最多 {MOST_DAYS} 天 / at most {MOST_DAYS} days")));
    }
    Ok(found
        .dates
        .iter()
        .map(chrono::DateTime::date_naive)
        .filter(|day| *day <= plan.until && day.year() < 10_000)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, day).unwrap()
    }

    fn three() -> Vec<Part> {
        [("00:00", "08:00"), ("08:00", "16:00"), ("16:00", "24:00")].map(|(a, b)| Part::read(a, b).unwrap()).to_vec()
    }

    fn plan<'a>(rule: &'a str, parts: &'a [Part], teams: usize) -> Plan<'a> {
        Plan { from: date(1), until: date(14), rule, parts, teams, rotation: Rotation::Day }
    }

    #[test]
    fn clocks_are_read_and_midnight_has_two_names() {
        assert_eq!(Part::read("16:00", "24:00"), Part::read("16:00", "00:00"));
        assert_eq!(Part::read("22:00", "06:00"), Some(Part { from: 22 * 60, to: 30 * 60 }));
        assert_eq!(Part::read("00:00", "24:00"), Some(Part { from: 0, to: 24 * 60 }));
        for (start, end) in [
            ("24:00", "08:00"),
            ("8:00", "16:00"),
            ("08:60", "16:00"),
            ("08:00", "24:01"),
            ("a", "b"),
            ("-1:00", "08:00"),
        ] {
            assert_eq!(Part::read(start, end), None, "{start} {end}");
        }
    }

    #[test]
    fn three_shifts_a_day_meet_without_a_gap_and_turn() {
        let parts = three();
        let all = expand(&plan("FREQ=DAILY", &parts, 3)).unwrap();
        assert_eq!(all.len(), 14 * 3);
        assert!(all.windows(2).all(|pair| pair[0].span.to == pair[1].span.from));
        // 1 December 00:00 in China.
        assert_eq!(all[0].span.from.to_rfc3339(), "2026-11-30T16:00:00+00:00");
        let teams: Vec<_> = all[..9].iter().map(|planned| planned.team.unwrap()).collect();
        assert_eq!(teams, [0, 1, 2, 1, 2, 0, 2, 0, 1]);
        for team in 0..3 {
            let own: Vec<_> = all.iter().filter(|planned| planned.team == Some(team)).collect();
            assert!(own.windows(2).all(|pair| pair[1].span.from - pair[0].span.to >= TimeDelta::hours(8)));
        }
    }

    #[test]
    fn weeks_turn_after_seven_days_and_rules_choose_days() {
        let parts = three();
        let weekly = Plan { rotation: Rotation::Week, ..plan("FREQ=DAILY", &parts, 2) };
        let all = expand(&weekly).unwrap();
        assert!(all[..21].iter().enumerate().all(|(at, planned)| planned.team == Some(at % 3 % 2)));
        assert!(all[21..].iter().enumerate().all(|(at, planned)| planned.team == Some((at % 3 + 1) % 2)));
        // 2026-12-01 is a Tuesday.
        let all = expand(&plan("FREQ=WEEKLY;BYDAY=TU,SA", &parts[1..2], 0)).unwrap();
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|planned| planned.team.is_none()));
    }

    #[test]
    fn a_wrong_plan_is_named() {
        let parts = three();
        let pointer = |plan: &Plan<'_>| expand(plan).unwrap_err().0;
        for rule in [
            "",
            "DAILY",
            "FREQ=HOURLY",
            "FREQ=DAILY;BYHOUR=3",
            "FREQ=DAILY;COUNT=3",
            "FREQ=DAILY;UNTIL=20261203T000000Z",
            "FREQ=DAILY;INTERVAL=x",
        ] {
            assert_eq!(pointer(&plan(rule, &parts, 3)), "/rule", "{rule}");
        }
        assert_eq!(
            pointer(&Plan { until: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(), ..plan("FREQ=DAILY", &parts, 3) }),
            "/until"
        );
        assert_eq!(
            pointer(&Plan { until: NaiveDate::from_ymd_opt(2029, 11, 1).unwrap(), ..plan("FREQ=DAILY", &parts, 3) }),
            "/until"
        );
        assert_eq!(pointer(&plan("FREQ=DAILY", &[parts[0], parts[0]], 3)), "/parts");
    }

    proptest! {
        #[test]
        fn a_longer_plan_begins_as_the_shorter_one(days in 1_u32..20, more in 0_u32..10, teams in 0_usize..5, interval in 1_u32..4) {
            let parts = three();
            let rule = format!("FREQ=DAILY;INTERVAL={interval}");
            let short = expand(&Plan { until: date(days), ..plan(&rule, &parts, teams) }).unwrap();
            let long = expand(&Plan { until: date(days + more), ..plan(&rule, &parts, teams) }).unwrap();
            prop_assert!(long.starts_with(&short));
            prop_assert!(long.iter().all(|planned| planned.team.is_none_or(|team| team < teams)));
        }
    }
}
