//! What can be taken out: a query over a range of paths (`$1` and `$2`), and what each column is.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, QueryResult};

use super::files::Value;
use crate::delivery::Figures;
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
    /// Something of whom a service served, as [`served`] reads it.
    Served(fn(&Figures, i64) -> Value),
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
            Self::Served(shown) => {
                row.try_get_by_index::<Option<String>>(at)?.map(|text| shown(&served(&text), minimum_cell))
            }
        };
        Ok(value.unwrap_or(Value::Empty))
    }
}

/// A number of people; one that is so small that it would tell something of one of them is not shown. Nobody is fine.
fn few(people: i64, minimum_cell: i64) -> Value {
    if people == 0 || people >= minimum_cell { Value::Number(people) } else { too_few(minimum_cell) }
}

fn too_few(minimum_cell: i64) -> Value {
    Value::Text(format!("不足{minimum_cell}"))
}

/// Whom a service served: a line a part, with group (without one, everybody), people of the register and heads, between tabs. Names
/// of groups are one line without tabs. Parts of one group are added up.
fn served(text: &str) -> Figures {
    let mut figures = Figures::default();
    for line in text.lines() {
        let mut parts = line.split('\t');
        let name = parts.next().unwrap_or_default();
        let [people, heads] =
            [parts.next(), parts.next()].map(|part| part.and_then(|part| part.parse().ok()).unwrap_or(0));
        let cell =
            if name.is_empty() { &mut figures.total } else { figures.groups.entry(name.to_owned()).or_default() };
        cell.people += people;
        cell.attended += people;
        cell.heads += heads;
    }
    figures
}

fn people(figures: &Figures, minimum_cell: i64) -> Value {
    figures.shown(minimum_cell).total.map_or_else(|| too_few(minimum_cell), |cell| Value::Number(cell.people))
}

fn person_times(figures: &Figures, minimum_cell: i64) -> Value {
    figures.shown(minimum_cell).total.map_or_else(|| too_few(minimum_cell), |cell| Value::Number(cell.person_times()))
}

/// 青年女性 12；全职妈妈 不足5
fn by_group(figures: &Figures, minimum_cell: i64) -> Value {
    let groups = figures.shown(minimum_cell).groups.into_iter().map(|(name, cell)| match cell {
        Some(cell) => format!("{name} {}", cell.person_times()),
        // Also one that is left out so that another cannot be told from the total.
        None => format!("{name} 不公开"),
    });
    Value::Text(groups.collect::<Vec<_>>().join("；"))
}

/// All of them.
pub(in crate::figures) const TABLES: &[Table] = &[NEEDS, PROJECTS, SERVICES, FUNDS, NOTICES];

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

const SERVICES: Table = Table {
    word: "services",
    columns: &[
        ("日期", Kind::Text),
        ("社区", Kind::Text),
        ("地点", Kind::Text),
        ("资助计划", Kind::Text),
        ("项目", Kind::Text),
        ("承接组织", Kind::Text),
        (
            "服务类型",
            Kind::Word(&[
                ("visit", "入户走访"),
                ("course", "课程"),
                ("training", "培训"),
                ("event", "活动"),
                ("performance", "演出"),
                ("case_work", "个案服务"),
                ("refit", "居家改造"),
                ("other", "其他"),
            ]),
        ),
        ("登记人数", Kind::Served(people)),
        ("人次", Kind::Served(person_times)),
        ("分人群人次", Kind::Served(by_group)),
        ("覆盖人次", Kind::People),
        ("确认时间", Kind::Moment),
    ],
    // Confirmed records, as corrections changed them. What was done where is left out: people write it, and may name somebody.
    query: "SELECT held_on, community, place, programme, project, organisation, kind, served, served, served, reached, decided_at FROM (\
            SELECT s.id AS id, s.held_on AS held_on, c.name AS community, l.name AS place, g.title AS programme, p.title AS project, \
            o.name AS organisation, s.kind AS kind, s.decided_at AS decided_at, \
            CAST(s.reached + COALESCE((SELECT SUM(x.delta) FROM project_service_corrections x \
            WHERE x.service_id = s.id AND x.what = 'reached'), 0) AS bigint) AS reached, \
            (SELECT string_agg(part.line, '\n') FROM (\
            SELECT '\t' || CAST(COUNT(*) AS text) || '\t0' AS line FROM project_service_people q WHERE q.service_id = s.id \
            AND NOT EXISTS (SELECT 1 FROM project_service_corrections a WHERE a.service_id = q.service_id AND a.beneficiary_id = q.beneficiary_id) \
            UNION ALL SELECT '\t0\t' || CAST(s.heads AS text) \
            UNION ALL SELECT CASE WHEN x.what = 'heads' THEN '' ELSE x.name END || '\t0\t' || CAST(x.delta AS text) \
            FROM project_service_corrections x WHERE x.service_id = s.id AND x.what IN ('heads', 'group_heads') \
            UNION ALL SELECT r.name || '\t' || CAST(COUNT(*) AS text) || '\t0' FROM project_service_people_groups r WHERE r.service_id = s.id \
            AND NOT EXISTS (SELECT 1 FROM project_service_corrections a WHERE a.service_id = r.service_id AND a.beneficiary_id = r.beneficiary_id) \
            GROUP BY r.name \
            UNION ALL SELECT n.name || '\t0\t' || CAST(n.amount AS text) FROM project_service_counts n \
            WHERE n.service_id = s.id AND n.what = 'heads') part) AS served \
            FROM projects p JOIN project_services s ON s.project_id = p.id AND s.state = 'confirmed' \
            JOIN places c ON c.id = p.community_id JOIN places l ON l.id = p.place_id LEFT JOIN programmes g ON g.id = p.programme_id \
            LEFT JOIN organisations o ON o.id = p.organisation_id \
            WHERE p.place_path >= $1 AND p.place_path < $2) records ORDER BY id",
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

    #[test]
    fn a_service_names_no_group_of_few() {
        let figures = served("\t6\t0\n\t0\t40\n青年女性\t6\t0\n青年女性\t0\t12\n青年女性\t0\t-2\n全职妈妈\t0\t3");
        assert_eq!((people(&figures, 5), person_times(&figures, 5)), (Value::Number(6), Value::Number(46)));
        assert_eq!(by_group(&figures, 5), Value::Text("全职妈妈 不公开；青年女性 16".to_owned()));
        assert_eq!(people(&figures, 7), Value::Text("不足7".to_owned()));
    }
}
