//! How long needs and projects stay in each state, in days of China's calendar.
//!
//! A stay is from the day on which something came into a state to the day on which it went on: 0 if that was the same day. One that
//! has not ended yet lasts until today. States in which a way ends are no stays. The median is the ⌈n/2⌉th shortest stay, so that it
//! is one that there was, and the same on every database.

use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};

use super::scope::{Scope, Sql};

/// Stays in one state: those that have ended, or those that have not.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(super) struct Stays {
    pub state: String,
    /// Whether they have not ended.
    pub running: i64,
    pub count: i64,
    pub median_days: i64,
    pub longest_days: i64,
}

/// A project's stays: the first begins with its creation, each of the others with a step. One that has taken no step stands where it
/// was put. `project_steps` says where a way ends: nothing leads on from there.
const OF_PROJECTS: &str = "
    SELECT CASE WHEN m.project_id IS NULL THEN p.state ELSE m.from_state END AS state, p.created_at AS since, m.at AS until
    FROM projects p LEFT JOIN project_moves m ON m.project_id = p.id AND m.seq = 1 WHERE {there}
    UNION ALL
    SELECT m.to_state, m.at, f.at FROM projects p JOIN project_moves m ON m.project_id = p.id
    LEFT JOIN project_moves f ON f.project_id = m.project_id AND f.seq = m.seq + 1 WHERE {there}";

/// A need's stays, from its publication and its events. A dispute ends it only where it took it back.
const OF_NEEDS: &str = "
    SELECT state, since, LEAD(since) OVER (PARTITION BY need_id ORDER BY since, place, event_id) AS until FROM (
        SELECT n.id AS need_id, 'in_review' AS state, n.created_at AS since, 0 AS place, n.id AS event_id FROM needs n WHERE {there}
        UNION ALL
        SELECT n.id, 'published', n.published_at, 1, n.id FROM needs n WHERE n.published_at IS NOT NULL AND {there}
        UNION ALL
        SELECT n.id, CASE e.kind WHEN 'left_topic' THEN 'published' WHEN 'left_project' THEN 'published' WHEN 'unmerged' THEN 'published'
            WHEN 'disputed' THEN 'withdrawn' ELSE e.kind END, e.at, 2, e.id
        FROM needs n JOIN need_events e ON e.need_id = n.id
        WHERE (e.kind IN ('declined', 'withdrawn', 'merged', 'unmerged', 'in_topic', 'left_topic', 'in_project', 'left_project', 'resolved')
            OR (e.kind = 'disputed' AND n.state = 'withdrawn'
                AND NOT EXISTS (SELECT 1 FROM need_events w WHERE w.need_id = n.id AND w.kind = 'withdrawn'))) AND {there}
    ) entries";

/// The stays of a scope's needs and projects, by state. Two statements.
pub(super) async fn of(
    connection: &DatabaseConnection,
    scope: &Scope,
    today: &str,
) -> Result<(Vec<Stays>, Vec<Stays>), DbErr> {
    let mut sql = Sql::new(connection);
    let there = sql.needs(scope);
    let open = "state IN ('in_review', 'published', 'in_topic', 'in_project')";
    let text = measured(&mut sql, &OF_NEEDS.replace("{there}", &there), open, today);
    let needs = sql.read::<Stays>(text).all(connection).await?;
    let mut sql = Sql::new(connection);
    let there = sql.projects(scope);
    let open = "state IN (SELECT from_state FROM project_steps)";
    let text = measured(&mut sql, &OF_PROJECTS.replace("{there}", &there), open, today);
    Ok((needs, sql.read::<Stays>(text).all(connection).await?))
}

/// Counts, medians and the longest of stays.
fn measured(sql: &mut Sql, stays: &str, open: &str, today: &str) -> String {
    let today = sql.bind(today);
    let (since, until) = (sql.day("since"), sql.day("until"));
    let days = sql.days_between(&since, &format!("COALESCE({until}, {today})"));
    format!(
        "WITH stays AS ({stays}), \
         measured AS (SELECT state, CASE WHEN until IS NULL THEN 1 ELSE 0 END AS running, {days} AS days FROM stays WHERE {open}), \
         ranked AS (SELECT state, running, days, ROW_NUMBER() OVER (PARTITION BY state, running ORDER BY days) AS place, \
         COUNT(*) OVER (PARTITION BY state, running) AS count FROM measured) \
         SELECT state, CAST(running AS bigint) AS running, count, MAX(CASE WHEN place = (count + 1) / 2 THEN days END) AS median_days, \
         MAX(days) AS longest_days FROM ranked GROUP BY state, running, count ORDER BY state, running"
    )
}
