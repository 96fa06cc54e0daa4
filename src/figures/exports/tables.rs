//! What can be taken out: a query over a range of paths (`$1` and `$2`), and what each column is.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, QueryResult};

use super::files::Value;
use crate::platform::calendar;

/// A table of an export.
pub(in crate::figures) struct Table {
    /// The word in the route.
    pub word: &'static str,
    columns: &'static [(&'static str, Kind)],
    pub query: &'static str,
}

/// How a column is read and shown.
enum Kind {
    Text,
    Number,
    Fen,
    /// By China's clocks.
    Moment,
    /// A word of the database, and what people read.
    Word(&'static [(&'static str, &'static str)]),
    /// A number of people or person-times: few are not shown.
    People,
}

impl Table {
    /// The columns' titles.
    pub(in crate::figures) fn titles(&self) -> Vec<&'static str> {
        self.columns.iter().map(|(title, _)| *title).collect()
    }

    /// A row's cells.
    pub(in crate::figures) fn read(&self, row: &QueryResult, minimum_cell: i64) -> Result<Vec<Value>, DbErr> {
        self.columns.iter().enumerate().map(|(at, (_, kind))| kind.read(row, at, minimum_cell)).collect()
    }
}

impl Kind {
    fn read(&self, row: &QueryResult, at: usize, minimum_cell: i64) -> Result<Value, DbErr> {
        let value = match self {
            Self::Text => row.try_get_by_index::<Option<String>>(at)?.map(Value::Text),
            Self::Number => row.try_get_by_index::<Option<i64>>(at)?.map(Value::Number),
            Self::Fen => row.try_get_by_index::<Option<i64>>(at)?.map(Value::Fen),
            Self::Moment => row
                .try_get_by_index::<Option<DateTime<Utc>>>(at)?
                .map(|moment| Value::Text(calendar::text(moment, "%Y-%m-%d %H:%M:%S"))),
            Self::Word(words) => row.try_get_by_index::<Option<String>>(at)?.map(|word| {
                let shown = words.iter().find(|(known, _)| *known == word).map(|(_, shown)| (*shown).to_owned());
                Value::Text(shown.unwrap_or(word))
            }),
            Self::People => row.try_get_by_index::<Option<i64>>(at)?.map(|people| few(people, minimum_cell)),
        };
        Ok(value.unwrap_or(Value::Empty))
    }
}

/// A number of people; one that is so small that it would tell something of one of them is not shown. Nobody is fine.
fn few(people: i64, minimum_cell: i64) -> Value {
    if people == 0 || people >= minimum_cell {
        Value::Number(people)
    } else {
        Value::Text(format!("不足{minimum_cell}"))
    }
}

/// All of them.
pub(in crate::figures) const TABLES: &[Table] = &[NEEDS, PROJECTS, FUNDS, NOTICES];

const CATEGORIES: &[(&str, &str)] =
    &[("charity", "公益慈善"), ("culture_education", "文化教育"), ("rights", "权益维护"), ("convenience", "便民生活")];

const NEEDS: Table = Table {
    word: "needs",
    columns: &[
        ("社区", Kind::Text),
        ("地点", Kind::Text),
        ("类别", Kind::Word(CATEGORIES)),
        ("需求", Kind::Text),
        (
            "状态",
            Kind::Word(&[
                ("published", "已公开"),
                ("in_topic", "已列入议题"),
                ("in_project", "项目实施中"),
                ("resolved", "已解决"),
                ("merged", "已合并"),
                ("declined", "未采纳"),
            ]),
        ),
        ("附议人数", Kind::People),
        ("提交时间", Kind::Moment),
        ("公开时间", Kind::Moment),
        ("项目", Kind::Text),
    ],
    // What everybody may read: neither hidden nor in review, and no confidential ones, which stand elsewhere.
    query: "SELECT c.name, p.name, n.category, n.title, n.state, n.support_count, n.created_at, n.published_at, j.title \
            FROM needs n JOIN places c ON c.id = n.community_id JOIN places p ON p.id = n.place_id \
            LEFT JOIN projects j ON j.id = n.project_id \
            WHERE n.place_path >= $1 AND n.place_path < $2 AND NOT n.hidden \
            AND n.state IN ('published', 'in_topic', 'in_project', 'resolved', 'merged', 'declined') ORDER BY n.id",
};

/// The words of a project's way.
pub(in crate::figures) const STATES: &[(&str, &str)] = &[
    ("proposed", "设计中"),
    ("submitted", "已提交"),
    ("returned", "退回修改"),
    ("shortlisted", "入围"),
    ("declined", "未入选"),
    ("withdrawn", "已撤回"),
    ("selected", "已立项"),
    ("tendering", "招标中"),
    ("awarding", "中选公示"),
    ("contracted", "已签约"),
    ("running", "实施中"),
    ("completed", "待评估"),
    ("rectifying", "整改中"),
    ("evaluated", "已评估"),
    ("finished", "已结项"),
    ("cancelled", "已取消"),
    ("terminated", "已终止"),
];

const PROJECTS: Table = Table {
    word: "projects",
    columns: &[
        ("社区", Kind::Text),
        ("资助计划", Kind::Text),
        ("项目", Kind::Text),
        ("承接组织", Kind::Text),
        ("预算（元）", Kind::Fen),
        ("状态", Kind::Word(STATES)),
        ("创建时间", Kind::Moment),
        ("进入当前状态", Kind::Moment),
    ],
    query: "SELECT c.name, g.title, j.title, o.name, j.budget_fen, j.state, j.created_at, j.state_since FROM projects j \
            JOIN places c ON c.id = j.community_id LEFT JOIN programmes g ON g.id = j.programme_id \
            LEFT JOIN organisations o ON o.id = j.organisation_id \
            WHERE j.place_path >= $1 AND j.place_path < $2 ORDER BY j.id",
};

const FUNDS: Table = Table {
    word: "funds",
    columns: &[
        ("账簿所在", Kind::Text),
        ("时间", Kind::Moment),
        ("类型", Kind::Word(&[("receipt", "收入"), ("payment", "支出"), ("reversal", "冲正"), ("budget", "预算")])),
        (
            "阶段",
            Kind::Word(&[
                ("posted", "已入账"),
                ("pending", "预留"),
                ("post", "预留入账"),
                ("void", "预留取消"),
                ("expire", "预留过期"),
            ]),
        ),
        ("转出账户", Kind::Word(&[("fund", "经费"), ("outside", "账外")])),
        ("转入账户", Kind::Word(&[("fund", "经费"), ("outside", "账外")])),
        ("金额（元）", Kind::Fen),
        ("事由类别", Kind::Text),
    ],
    // Reasons are left out: people write them, and may name somebody.
    query: "SELECT p.name, t.created_at, t.kind, t.phase, d.kind, c.kind, x.amount, t.source_kind FROM ledger_transfers x \
            JOIN ledger_transactions t ON t.id = x.transaction_id JOIN ledger_accounts d ON d.id = x.debit_id \
            JOIN ledger_accounts c ON c.id = x.credit_id JOIN places p ON p.id = x.community_id \
            WHERE x.unit = 'fen' AND p.path >= $1 AND p.path < $2 ORDER BY x.id",
};

const NOTICES: Table = Table {
    word: "notices",
    columns: &[
        ("公示栏", Kind::Text),
        ("编号", Kind::Number),
        ("类别", Kind::Text),
        ("标题", Kind::Text),
        ("内容", Kind::Text),
        ("公示时间", Kind::Moment),
        ("异议期至", Kind::Moment),
        ("更正的编号", Kind::Number),
        ("哈希值", Kind::Text),
    ],
    query: "SELECT p.name, n.seq, n.kind, n.title, n.body, n.published_at, n.objections_until, f.seq, n.hash FROM notices n \
            JOIN places p ON p.id = n.community_id LEFT JOIN notices f ON f.id = n.corrects_id \
            WHERE p.path >= $1 AND p.path < $2 ORDER BY n.community_id, n.seq",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_people_are_not_counted() {
        assert_eq!(few(0, 5), Value::Number(0));
        assert_eq!(few(4, 5), Value::Text("不足5".to_owned()));
        assert_eq!(few(5, 5), Value::Number(5));
    }
}
