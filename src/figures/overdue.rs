//! Everything whose day is over and that still waits for somebody, in one list.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entities::ids::PlaceId;
use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};
use uuid::Uuid;

use super::scope::{Scope, Sql};
use crate::identity::Permission;
use crate::platform::http::Moments;

/// What can be overdue.
pub(super) struct Kind {
    /// In `?kind=` and in answers.
    pub word: &'static str,
    /// What people read.
    pub title: &'static str,
    /// Who sees them, at the place.
    pub permission: Permission,
    /// Columns `id`, `title`, `place_id`, `due_at` and `of`, which the path names; `{now}` and `{within:…}` are filled in.
    rows: &'static str,
    /// Where it is dealt with.
    path: fn(Uuid) -> String,
}

/// Case files are none of them: nobody but their handlers may know that there is one.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        word: "need",
        title: "需求逾期未答复",
        permission: Permission::Moderate,
        rows: "SELECT n.id AS id, n.title AS title, n.place_id AS place_id, n.due_at AS due_at, n.id AS of_id FROM needs n \
               WHERE n.answered_at IS NULL AND n.due_at IS NOT NULL AND n.due_at < {now} AND NOT n.hidden \
               AND n.state IN ('published', 'in_topic') AND {within:n}",
        path: |id| format!("/needs/{id}"),
    },
    Kind {
        word: "objection",
        title: "异议逾期未回复",
        permission: Permission::ManageProjects,
        rows: "SELECT o.id AS id, b.title AS title, b.community_id AS place_id, o.reply_due AS due_at, b.id AS of_id FROM objections o JOIN notices b ON b.id = o.notice_id \
               WHERE o.state = 'open' AND o.reply_due < {now} AND {within:o}",
        path: |notice| format!("/notices/{notice}/objections"),
    },
    Kind {
        word: "tender",
        title: "已截标未开标",
        permission: Permission::ManageProjects,
        rows: "SELECT t.id AS id, p.title AS title, p.place_id AS place_id, t.closes_at AS due_at, t.id AS of_id FROM tenders t JOIN projects p ON p.id = t.project_id \
               WHERE t.state = 'live' AND t.opened_at IS NULL AND t.closes_at < {now} AND p.state = 'tendering' AND {within:p}",
        path: |tender| format!("/tenders/{tender}"),
    },
    Kind {
        word: "award",
        title: "公示期满未签约",
        permission: Permission::ManageProjects,
        rows: "SELECT a.id AS id, p.title AS title, p.place_id AS place_id, w.objections_until AS due_at, t.id AS of_id FROM projects p \
               JOIN tenders t ON t.project_id = p.id AND t.state = 'live' JOIN tender_awards a ON a.tender_id = t.id AND a.state = 'standing' \
               JOIN notice_windows w ON w.notice_id = a.notice_id \
               WHERE p.state = 'awarding' AND w.objections_until < {now} AND {within:p}",
        path: |tender| format!("/tenders/{tender}/awards"),
    },
    Kind {
        word: "milestone",
        title: "节点逾期未验收",
        permission: Permission::ManageProjects,
        rows: "SELECT m.id AS id, p.title || '：' || m.title AS title, p.place_id AS place_id, m.due_at AS due_at, p.id AS of_id FROM milestones m \
               JOIN contracts c ON c.id = m.contract_id JOIN projects p ON p.id = c.project_id \
               WHERE m.state IN ('planned', 'submitted', 'returned') AND m.due_at < {now} AND p.state = 'running' AND {within:p}",
        path: |project| format!("/projects/{project}/milestones"),
    },
    Kind {
        word: "finding",
        title: "督导问题逾期未整改",
        permission: Permission::ManageProjects,
        rows: "SELECT f.id AS id, p.title AS title, p.place_id AS place_id, f.due_at AS due_at, p.id AS of_id FROM findings f JOIN projects p ON p.id = f.project_id \
               WHERE f.state <> 'closed' AND f.due_at < {now} AND p.state = 'running' AND {within:p}",
        path: |project| format!("/projects/{project}/findings"),
    },
    Kind {
        word: "evaluation",
        title: "评估整改逾期",
        permission: Permission::ManageProjects,
        rows: "SELECT p.id AS id, p.title AS title, p.place_id AS place_id, {day_end:e.rectify_by} AS due_at, p.id AS of_id FROM projects p \
               JOIN project_evaluations e ON e.project_id = p.id AND e.rectify_by IS NOT NULL \
               WHERE p.state = 'rectifying' AND {day_end:e.rectify_by} < {now} AND {within:p} \
               AND NOT EXISTS (SELECT 1 FROM project_evaluations l WHERE l.project_id = e.project_id AND l.seq > e.seq)",
        path: |project| format!("/projects/{project}/evaluations"),
    },
];

/// One of them.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Item {
    pub kind: String,
    pub id: Uuid,
    pub title: String,
    pub place_id: PlaceId,
    pub place: String,
    pub due_at: DateTime<Utc>,
    of_id: Uuid,
}

impl Item {
    /// Where it is dealt with, below `/api/v1`.
    pub(super) fn path(&self) -> String {
        kind(&self.kind).map(|kind| (kind.path)(self.of_id)).unwrap_or_default()
    }

    /// What people read.
    pub(super) fn words(&self) -> &'static str {
        kind(&self.kind).map_or("", |kind| kind.title)
    }
}

/// The kind of this word.
pub(super) fn kind(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}

/// The rows of several kinds, each by itself and with its word.
fn branches(sql: &mut Sql, scope: &Scope, kinds: &[&Kind], now: DateTime<Utc>) -> Vec<String> {
    let now = sql.bind(now);
    let end = sql.day_end("e.rectify_by");
    let branch = |kind: &&Kind| {
        let mut rows = kind.rows.replace("{now}", &now).replace("{day_end:e.rectify_by}", &end);
        // Needs that are overdue are few among all of a place: they are found by their day, for which the path is no column.
        for (table, path) in [("n", "(n.place_path || '')"), ("o", "o.place_path"), ("p", "p.place_path")] {
            let word = format!("{{within:{table}}}");
            if rows.contains(&word) {
                rows = rows.replace(&word, &sql.within(path, &scope.place.path));
            }
        }
        format!("SELECT '{}' AS kind, id, title, place_id, due_at, of_id FROM ({rows}) found", kind.word)
    };
    kinds.iter().map(branch).collect()
}

/// A page and one more, the oldest first: one statement, in which each kind gives no more than a page.
pub(super) async fn page(
    connection: &DatabaseConnection,
    scope: &Scope,
    kinds: &[&Kind],
    now: DateTime<Utc>,
    paging: &Moments,
) -> Result<Vec<Item>, DbErr> {
    let mut sql = Sql::new(connection);
    let branches = branches(&mut sql, scope, kinds, now);
    let after = paging.after().map_or_else(String::new, |(at, id)| {
        let (at, id) = (sql.bind(at), sql.bind(id));
        format!("WHERE (due_at, id) > ({at}, {id})")
    });
    let limit = sql.bind(paging.rows());
    let oldest = branches
        .iter()
        .map(|rows| format!("SELECT * FROM ({rows} {after} ORDER BY due_at, id LIMIT {limit}) of_kind"))
        .collect::<Vec<_>>()
        .join(" UNION ALL ");
    let text = format!(
        "SELECT u.kind, u.id, u.title, u.place_id, l.name AS place, u.due_at, u.of_id FROM ({oldest}) u \
         JOIN places l ON l.id = u.place_id ORDER BY u.due_at, u.id LIMIT {limit}"
    );
    sql.read::<Item>(text).all(connection).await
}

/// How many there are of each kind; one statement.
pub(super) async fn counts(
    connection: &DatabaseConnection,
    scope: &Scope,
    kinds: &[&Kind],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, i64>, DbErr> {
    #[derive(FromQueryResult)]
    struct Row {
        kind: String,
        count: i64,
    }
    let mut sql = Sql::new(connection);
    let union = branches(&mut sql, scope, kinds, now).join(" UNION ALL ");
    let text = format!("SELECT kind, COUNT(*) AS count FROM ({union}) u GROUP BY kind");
    let rows = sql.read::<Row>(text).all(connection).await?;
    let none = kinds.iter().map(|kind| (kind.word.to_owned(), 0));
    Ok(none.chain(rows.into_iter().map(|row| (row.kind, row.count))).collect())
}
