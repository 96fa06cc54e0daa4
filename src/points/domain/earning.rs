//! What a rule makes of something done.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, Timelike, Utc};
use entities::points::{Cut, RuleKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::calendar::{day, local};

/// What a rule says from some moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// 0: the server's settings; from 1 on what staff have set.
    pub version: i32,
    /// Points for an hour, or for once.
    pub amount: i64,
    /// What a minute of the night counts, 100 for no more than others.
    pub night_percent: i64,
    /// What a minute of a holiday counts.
    pub holiday_percent: i64,
    /// At most so many a person and day.
    pub daily_cap: Option<i64>,
}

/// How much of something was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Once.
    Once,
    /// Half-open times of service; the whole minutes of each count.
    Service(Vec<(DateTime<Utc>, DateTime<Utc>)>),
    /// Minutes of service of which nobody knows the time of day, such as a correction's: no factor.
    Minutes(i64),
}

/// Why some minutes count more than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// They do not.
    Plain,
    /// 22:00 to 06:00 in China.
    Night,
    /// A day that the community lists.
    Holiday,
}

/// Minutes that count alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// Why.
    pub factor: Factor,
    /// How many.
    pub minutes: i64,
    /// What each counts.
    pub percent: i64,
}

/// How points came about, as it is kept beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Calculation {
    /// Points for an hour, or for once.
    pub amount: i64,
    /// Of service: its minutes by what they count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Whether `amount` is for an hour.
    pub hourly: bool,
}

impl Calculation {
    /// All parts together, rounded down once, at the end.
    pub fn points(&self) -> i64 {
        if !self.hourly {
            return self.amount;
        }
        let hundredths = self.parts.iter().map(|part| part.minutes.saturating_mul(part.percent));
        hundredths.fold(0_i64, i64::saturating_add).saturating_mul(self.amount) / 6000
    }
}

/// Applies a rule. Of two factors that hold for a minute the higher one counts; they are not multiplied.
pub fn calculate(key: RuleKey, terms: &Terms, quantity: &Quantity, holidays: &BTreeSet<NaiveDate>) -> Calculation {
    let Terms { amount, night_percent, holiday_percent, .. } = *terms;
    let spans = match (key, quantity) {
        (RuleKey::ServiceHour, Quantity::Service(spans)) => spans,
        (RuleKey::ServiceHour, Quantity::Minutes(minutes)) => {
            let plain = Part { factor: Factor::Plain, minutes: (*minutes).max(0), percent: 100 };
            return Calculation { amount, parts: vec![plain], hourly: true };
        }
        _ => return Calculation { amount, parts: Vec::new(), hourly: false },
    };
    let mut parts = [(Factor::Plain, 100), (Factor::Night, night_percent), (Factor::Holiday, holiday_percent)]
        .map(|(factor, percent)| Part { factor, minutes: 0, percent });
    for (from, to) in spans {
        // A shift is at most a day: each minute is looked at.
        for minute in 0..(*to - *from).num_minutes().max(0) {
            let at = *from + Duration::minutes(minute);
            let night = is_night(at) && night_percent > 100;
            let holiday = holiday_percent > 100 && holidays.contains(&day(at));
            let [plain, at_night, on_holiday] = &mut parts;
            match (night, holiday) {
                (_, true) if !night || holiday_percent >= night_percent => on_holiday.minutes += 1,
                (true, _) => at_night.minutes += 1,
                _ => plain.minutes += 1,
            }
        }
    }
    Calculation { amount, parts: parts.into_iter().filter(|part| part.minutes > 0).collect(), hourly: true }
}

/// From 22:00 to 06:00 in China.
fn is_night(at: DateTime<Utc>) -> bool {
    !(6..22).contains(&local(at).hour())
}

/// What caps and budget still leave; absent where nothing limits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    /// Of the rule's cap for the person and day.
    pub day: Option<i64>,
    /// Of the community's budget.
    pub budget: Option<i64>,
}

/// How much of what a rule gives is granted, and what cut it.
pub fn grant(asked: i64, room: Room) -> (i64, Option<Cut>) {
    let of = |room: Option<i64>| room.map_or(asked, |room| room.clamp(0, asked));
    let (day, budget) = (of(room.day), of(room.budget));
    if budget < day {
        (budget, Some(Cut::Budget))
    } else if day < asked {
        (day, Some(Cut::DailyCap))
    } else {
        (asked, None)
    }
}

/// What residents call a rule.
pub const fn title(key: RuleKey) -> &'static str {
    match key {
        RuleKey::ServiceHour => "志愿服务时长",
        RuleKey::ServiceShift => "完成班次",
        RuleKey::SurveyAnswer => "填写问卷",
        RuleKey::NeedAdopted => "需求被采纳",
        RuleKey::Deliberation => "参加议事",
    }
}

/// A rule as residents read it.
pub fn text(key: RuleKey, terms: &Terms) -> String {
    let Terms { amount, night_percent, holiday_percent, daily_cap, .. } = *terms;
    if amount == 0 {
        return "目前不积分".to_owned();
    }
    let mut text = match key {
        RuleKey::ServiceHour => format!("志愿服务每小时 {amount} 分，按分钟计算，零头舍去"),
        RuleKey::ServiceShift => format!("每完成一个班次 {amount} 分"),
        RuleKey::SurveyAnswer => format!("每填写一份问卷 {amount} 分"),
        RuleKey::NeedAdopted => format!("提出的需求被采纳为项目，每项 {amount} 分"),
        RuleKey::Deliberation => format!("每参加一次议事 {amount} 分"),
    };
    if key == RuleKey::ServiceHour {
        if night_percent > 100 {
            text += &format!("；夜间（22:00至次日6:00）按 {night_percent}% 计");
        }
        if holiday_percent > 100 {
            text += &format!("；节假日按 {holiday_percent}% 计");
        }
        if night_percent > 100 && holiday_percent > 100 {
            text += "，两者同时符合时按较高的计";
        }
    }
    if let Some(cap) = daily_cap {
        text += &format!("；每人每天最多 {cap} 分");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn terms(amount: i64, night_percent: i64, holiday_percent: i64) -> Terms {
        Terms { version: 1, amount, night_percent, holiday_percent, daily_cap: None }
    }

    fn hours(terms: &Terms, from: &str, to: &str, holidays: &[&str]) -> Calculation {
        let holidays = holidays.iter().map(|day| day.parse().unwrap()).collect();
        calculate(RuleKey::ServiceHour, terms, &Quantity::Service(vec![(at(from), at(to))]), &holidays)
    }

    #[test]
    fn a_night_begins_at_22_and_ends_at_6_in_china() {
        // 21:30 to 06:30: half an hour by day on each side, eight hours of night.
        let night = hours(&terms(10, 150, 100), "2026-11-24T21:30:00+08:00", "2026-11-25T06:30:00+08:00", &[]);
        let part = |factor, minutes, percent| Part { factor, minutes, percent };
        assert_eq!(night.parts, [part(Factor::Plain, 60, 100), part(Factor::Night, 480, 150)]);
        assert_eq!(night.points(), 130);
        // The second before counts with the minute that it begins.
        let edge = hours(&terms(60, 200, 100), "2026-11-24T21:59:30+08:00", "2026-11-24T22:01:30+08:00", &[]);
        assert_eq!(edge.parts, [part(Factor::Plain, 1, 100), part(Factor::Night, 1, 200)]);
        assert_eq!(edge.points(), 3);
    }

    #[test]
    fn a_holiday_is_chinas_day_and_the_higher_factor_counts() {
        let rule = terms(10, 150, 200);
        // 22:00 on the eve to 02:00 on the holiday.
        let eve = hours(&rule, "2026-09-30T22:00:00+08:00", "2026-10-01T02:00:00+08:00", &["2026-10-01"]);
        assert_eq!(eve.points(), 10 * (2 * 150 + 2 * 200) / 100);
        let rule = terms(10, 300, 200);
        let eve = hours(&rule, "2026-09-30T22:00:00+08:00", "2026-10-01T02:00:00+08:00", &["2026-10-01"]);
        assert_eq!(eve.points(), 120, "the night counts more here");
    }

    #[test]
    fn what_is_not_by_the_hour_is_the_amount() {
        let once = calculate(RuleKey::SurveyAnswer, &terms(2, 500, 500), &Quantity::Once, &BTreeSet::new());
        assert_eq!((once.points(), once.parts.len()), (2, 0));
    }

    #[test]
    fn the_narrower_limit_is_named() {
        let room = |day, budget| Room { day, budget };
        assert_eq!(grant(10, room(None, None)), (10, None));
        assert_eq!(grant(10, room(Some(10), Some(10))), (10, None));
        assert_eq!(grant(10, room(Some(4), Some(4))), (4, Some(Cut::DailyCap)));
        assert_eq!(grant(10, room(Some(4), Some(3))), (3, Some(Cut::Budget)));
        assert_eq!(grant(10, room(Some(-5), None)), (0, Some(Cut::DailyCap)), "a cap that was lowered");
    }

    /// A time of service within a year, up to a day long, in seconds.
    fn spans() -> impl Strategy<Value = (DateTime<Utc>, DateTime<Utc>)> {
        (0_i64..365 * 86_400, 0_i64..86_400).prop_map(|(from, length)| {
            let from = at("2026-01-01T00:00:00Z") + Duration::seconds(from);
            (from, from + Duration::seconds(length))
        })
    }

    proptest! {
        #[test]
        fn every_whole_minute_counts_once_and_rounding_takes_less_than_a_point(
            (from, to) in spans(), amount in 0_i64..=1000, night in 100_i64..=500, holiday in 100_i64..=500,
            days in proptest::collection::btree_set(0_i64..365, 0..40)
        ) {
            let first: NaiveDate = "2026-01-01".parse().unwrap();
            let holidays: BTreeSet<_> = days.into_iter().map(|day| first + Duration::days(day)).collect();
            let rule = terms(amount, night, holiday);
            let of = |from, to| {
                calculate(RuleKey::ServiceHour, &rule, &Quantity::Service(vec![(from, to)]), &holidays)
            };
            let whole = of(from, to);
            let minutes: i64 = whole.parts.iter().map(|part| part.minutes).sum();
            prop_assert_eq!(minutes, (to - from).num_minutes());
            // Between all plain and all at the highest factor.
            prop_assert!(minutes * amount / 60 <= whole.points());
            prop_assert!(whole.points() <= minutes * amount * night.max(holiday) / 6000);
            // The exact value lies less than one point above.
            let exact: i64 = whole.parts.iter().map(|part| part.minutes * part.percent * amount).sum();
            prop_assert!(whole.points() * 6000 <= exact && exact < (whole.points() + 1) * 6000);
            // Cut in two at a whole minute, the parts are the same and at most one point is lost.
            let middle = from + Duration::minutes(minutes / 2);
            let (before, after) = (of(from, middle), of(middle, to));
            let counts = |all: &[&Calculation], factor| -> i64 {
                all.iter().flat_map(|one| &one.parts).filter(|part| part.factor == factor).map(|part| part.minutes).sum()
            };
            for factor in [Factor::Plain, Factor::Night, Factor::Holiday] {
                prop_assert_eq!(counts(&[&whole], factor), counts(&[&before, &after], factor));
            }
            let halves = before.points() + after.points();
            prop_assert!(halves <= whole.points() && whole.points() <= halves + 1);
            // One minute more is never worth less.
            prop_assert!(of(from, to + Duration::minutes(1)).points() >= whole.points());
            // What is kept gives the same again.
            let kept: Calculation = serde_json::from_value(serde_json::to_value(&whole).unwrap()).unwrap();
            prop_assert_eq!(kept.points(), whole.points());
        }

        #[test]
        fn never_more_is_granted_than_is_asked_or_left(
            asked in 1_i64..10_000, day in proptest::option::of(-100_i64..10_000), budget in proptest::option::of(0_i64..10_000)
        ) {
            let (granted, cut) = grant(asked, Room { day, budget });
            prop_assert!((0..=asked).contains(&granted));
            prop_assert!(day.is_none_or(|day| granted <= day.max(0)) && budget.is_none_or(|budget| granted <= budget));
            prop_assert_eq!(cut.is_none(), granted == asked);
        }
    }
}
