//! A project's design document.

use std::collections::HashSet;

use chrono::NaiveDate;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::http::text;
use crate::platform::mistake::Mistake;

/// 100 million yuan: more is a slip of the pen.
const MAX_FEN: i64 = 10_000_000_000;

/// What is to be done, for whom, for how much, and by what one will see that it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// What it is for.
    #[garde(custom(draft(2000)))]
    #[serde(default)]
    pub goals: String,
    /// For whom.
    #[garde(length(max = 20), dive)]
    #[serde(default)]
    pub groups: Vec<Group>,
    /// How.
    #[garde(custom(draft(5000)))]
    #[serde(default)]
    pub plan: String,
    /// For how much: its budget is their sum.
    #[garde(length(max = 50), dive)]
    #[serde(default)]
    pub lines: Vec<Line>,
    /// By what it is measured.
    #[garde(length(max = 20), dive)]
    #[serde(default)]
    pub indicators: Vec<Indicator>,
    /// When.
    #[garde(length(max = 30), dive)]
    #[serde(default)]
    pub schedule: Vec<Stage>,
}

/// A group of people that it serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Names it in service records.
    #[garde(custom(text::line(30)))]
    pub key: String,
    /// Chinese.
    #[garde(custom(text::line(40)))]
    pub title: String,
    /// How many it is to reach.
    #[garde(range(min = 0, max = 1_000_000))]
    pub people: i64,
}

/// A line of the budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What for.
    #[garde(custom(text::line(60)))]
    pub title: String,
    /// How much.
    #[garde(range(min = 1, max = MAX_FEN))]
    pub fen: i64,
}

/// Something that can be counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Names it in reports.
    #[garde(custom(text::line(30)))]
    pub key: String,
    /// Chinese.
    #[garde(custom(text::line(60)))]
    pub title: String,
    /// What is to be reached.
    #[garde(range(min = 1, max = 1_000_000_000))]
    pub target: i64,
    /// 人次, 场, 户.
    #[garde(custom(text::line(10)))]
    pub unit: String,
}

/// A part of the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What.
    #[garde(custom(text::line(60)))]
    pub title: String,
    /// First day.
    #[garde(skip)]
    pub from: NaiveDate,
    /// Last day.
    #[garde(skip)]
    pub until: NaiveDate,
}

/// [`text::paragraph`], or nothing yet.
fn draft(max: usize) -> impl Fn(&str, &()) -> garde::Result {
    move |words, context| if words.is_empty() { Ok(()) } else { text::paragraph(max)(words, context) }
}

impl Design {
    /// What it costs.
    pub fn budget_fen(&self) -> i64 {
        self.lines.iter().fold(0, |sum, line| sum.saturating_add(line.fen))
    }

    /// How many people it is to reach.
    pub fn people(&self) -> i64 {
        self.groups.iter().map(|group| group.people).sum()
    }

    /// What is wrong even with a draft.
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        let groups = self.groups.iter().map(|group| group.key.as_str()).collect();
        let indicators = self.indicators.iter().map(|indicator| indicator.key.as_str()).collect();
        for (list, keys) in [("groups", groups), ("indicators", indicators)] {
            let (keys, mut seen): (Vec<&str>, _) = (keys, HashSet::new());
            for (at, key) in keys.into_iter().enumerate() {
                if !seen.insert(key) {
                    let pointer = format!("/{list}/{at}/key");
                    mistakes.push(Mistake::at(pointer, "与前面的重复 / same as an earlier one"));
                }
            }
        }
        for (at, stage) in self.schedule.iter().enumerate() {
            if stage.until < stage.from {
                let detail = "须不早于开始日期 / not before its first day";
                mistakes.push(Mistake::at(format!("/schedule/{at}/until"), detail));
            }
        }
        mistakes
    }

    /// What is missing before it can be handed in.
    pub fn missing(&self) -> Vec<Mistake> {
        let lacks = [
            ("/goals", self.goals.trim().is_empty()),
            ("/groups", self.groups.is_empty()),
            ("/plan", self.plan.trim().is_empty()),
            ("/lines", self.lines.is_empty()),
            ("/indicators", self.indicators.is_empty()),
            ("/schedule", self.schedule.is_empty()),
        ];
        let missing = lacks.into_iter().filter(|(_, lacks)| *lacks);
        missing.map(|(pointer, _)| Mistake::at(pointer, "提交前须填写 / needed before it is handed in")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_draft_is_right_and_lacks_everything() {
        let empty: Design = serde_json::from_str("{}").unwrap();
        assert!(empty.validate().is_ok() && empty.mistakes().is_empty());
        assert_eq!(empty.missing().len(), 6);
        assert_eq!((empty.budget_fen(), empty.people()), (0, 0));
    }

    #[test]
    fn a_budget_is_the_sum_of_its_lines_and_never_wraps() {
        let line = |fen| Line { title: "x".into(), fen };
        let design = Design { lines: vec![line(5), line(7)], ..Design::default() };
        assert_eq!(design.budget_fen(), 12);
        let design = Design { lines: vec![line(i64::MAX), line(7)], ..Design::default() };
        assert_eq!(design.budget_fen(), i64::MAX);
    }
}
