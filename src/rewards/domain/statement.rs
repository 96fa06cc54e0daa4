//! A merchant's statement: what was handed out in a month, by reward.

use std::borrow::Cow;

use entities::ids::RewardId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::platform::crypto::hex;
use crate::platform::csv;

/// One reward of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Which.
    pub reward_id: RewardId,
    /// What it was called when the statement was made.
    pub title: String,
    /// How many were handed out.
    pub pieces: i64,
    /// What people spent on them.
    pub points: i64,
}

/// Pieces and points of all lines.
pub fn total(lines: &[Line]) -> (i64, i64) {
    (lines.iter().map(|line| line.pieces).sum(), lines.iter().map(|line| line.points).sum())
}

/// The statement as a file: a line a reward, and the total.
pub fn table(month: &str, merchant: &str, lines: &[Line]) -> String {
    let (pieces, points) = total(lines);
    let row = |title: &str, pieces: i64, points: i64| -> Vec<Cow<'_, str>> {
        let cells = [month, merchant, title].map(|cell| Cow::Owned(cell.to_owned()));
        cells.into_iter().chain([pieces, points].map(|number| Cow::Owned(number.to_string()))).collect()
    };
    let head = ["月份", "商户", "礼品", "件数", "积分"].map(Cow::Borrowed).to_vec();
    let rows = lines.iter().map(|line| row(&line.title, line.pieces, line.points));
    csv::file(std::iter::once(head).chain(rows).chain([row("合计", pieces, points)]))
}

/// SHA-256 of a file's bytes, in lower-case hex: what `sha256sum` says of the download.
pub fn hash(file: &str) -> String {
    hex(&Sha256::digest(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_statement_adds_up() {
        let line = |title: &str, pieces, points| Line {
            reward_id: Uuid::nil().into(),
            title: title.to_owned(),
            pieces,
            points,
        };
        let lines = [line("纸巾", 3, 30), line("洗车券", 1, 100)];
        assert_eq!(total(&lines), (4, 130));
        let expected = "\u{feff}月份,商户,礼品,件数,积分\r\n2026-11,洗车行,纸巾,3,30\r\n2026-11,洗车行,洗车券,1,100\r\n\
                        2026-11,洗车行,合计,4,130\r\n";
        assert_eq!(table("2026-11", "洗车行", &lines), expected);
    }
}
