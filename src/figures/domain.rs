//! What a summary says, and what it keeps to itself.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::platform::crypto::hex;
use crate::platform::csv;

/// A sum, and how many people make it up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Of what is summed.
    pub value: i64,
    /// Each once.
    pub people: i64,
}

impl Sum {
    /// The value, unless so few make it up that it would tell something of one of them. Nobody is fine.
    fn shown(self, minimum_cell: i64) -> Option<i64> {
        (self.people == 0 || self.people >= minimum_cell).then_some(self.value)
    }
}

/// A month of a community, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in Figures")]
pub struct Sums {
    pub minutes: Sum,
    pub points_issued: Sum,
    pub points_redeemed: Sum,
    pub points_expired: Sum,
    pub points_reversed: Sum,
    pub gifts: Sum,
    pub people_active: Sum,
}

/// What everybody may know of a month. A figure that is absent is made up by fewer people than may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Figures {
    /// Minutes of service that were confirmed in the month, and what corrections made of earlier ones.
    pub minutes: Option<i64>,
    /// Points that people were awarded.
    pub points_issued: Option<i64>,
    /// Points spent on what was handed out.
    pub points_redeemed: Option<i64>,
    /// Points that nobody spent in time.
    pub points_expired: Option<i64>,
    /// Points taken back because an award was wrong.
    pub points_reversed: Option<i64>,
    /// Rewards that were handed out.
    pub gifts: Option<i64>,
    /// People who served, were awarded points or took a reward, each once.
    pub people_active: Option<i64>,
}

impl Figures {
    /// What of the sums may be shown.
    pub fn of(sums: &Sums, minimum_cell: i64) -> Self {
        let shown = |sum: Sum| sum.shown(minimum_cell);
        Self {
            minutes: shown(sums.minutes),
            points_issued: shown(sums.points_issued),
            points_redeemed: shown(sums.points_redeemed),
            points_expired: shown(sums.points_expired),
            points_reversed: shown(sums.points_reversed),
            gifts: shown(sums.gifts),
            people_active: shown(sums.people_active),
        }
    }

    /// Each with its name and unit.
    fn lines(&self) -> [(&'static str, Option<i64>, &'static str); 7] {
        [
            ("志愿服务时长", self.minutes, "分钟"),
            ("发放积分", self.points_issued, "分"),
            ("兑换积分", self.points_redeemed, "分"),
            ("过期积分", self.points_expired, "分"),
            ("撤销积分", self.points_reversed, "分"),
            ("兑换礼品", self.gifts, "件"),
            ("参与居民", self.people_active, "人"),
        ]
    }

    /// The file: a line a figure.
    pub fn table(&self, community: &str, month: &str, minimum_cell: i64) -> String {
        let head = ["社区", "月份", "指标", "数值", "单位"].map(Cow::Borrowed).to_vec();
        let rows = self.lines().map(|(name, value, unit)| {
            let value = value.map_or_else(|| format!("不足{minimum_cell}人，不公开"), |value| value.to_string());
            [community, month, name, &value, unit].map(|cell| Cow::Owned(cell.to_owned())).to_vec()
        });
        csv::file(std::iter::once(head).chain(rows))
    }

    /// The notice: the same for people, and the hash of the file.
    pub fn words(&self, minimum_cell: i64, hash: &str) -> String {
        let told = self.lines().map(|(name, value, unit)| match value {
            Some(minutes) if unit == "分钟" => format!("{name}：{}小时{}分钟", minutes / 60, minutes % 60),
            Some(value) => format!("{name}：{value}{unit}"),
            None => format!("{name}：不足{minimum_cell}人，不公开"),
        });
        format!("{}\n数据文件SHA-256：{hash}", told.join("\n"))
    }
}

/// SHA-256 of a file's bytes, in lower-case hex: what `sha256sum` says of the download.
pub fn hash(file: &str) -> String {
    hex(&Sha256::digest(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_people_are_not_shown() {
        let sum = |value, people| Sum { value, people };
        let sums = Sums {
            minutes: sum(125, 5),
            points_issued: sum(40, 4),
            points_redeemed: sum(0, 0),
            people_active: sum(5, 5),
            ..Sums::default()
        };
        let figures = Figures::of(&sums, 5);
        assert_eq!((figures.minutes, figures.points_issued, figures.points_redeemed), (Some(125), None, Some(0)));
        let table = figures.table("光华社区", "2026-10", 5);
        assert!(table.contains("光华社区,2026-10,志愿服务时长,125,分钟\r\n"), "{table}");
        assert!(table.contains("发放积分,不足5人，不公开,分\r\n"), "{table}");
        let words = figures.words(5, "abc");
        assert!(words.starts_with("志愿服务时长：2小时5分钟\n发放积分：不足5人，不公开\n"), "{words}");
        assert!(words.ends_with("参与居民：5人\n数据文件SHA-256：abc"), "{words}");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_made_up_by_enough(value in 0_i64..1_000_000, people in 0_i64..20, minimum in 0_i64..10) {
            match (Sum { value, people }).shown(minimum) {
                Some(shown) => prop_assert!(shown == value && (people == 0 || people >= minimum)),
                None => prop_assert!(people < minimum),
            }
        }
    }
}
