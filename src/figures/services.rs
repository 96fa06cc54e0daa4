//! Whom the projects of a place served: people once, person-times each time, by group.
//!
//! - **For everybody**: the sums of what the projects' own pages show ([`Figures::shown`]), over their whole time. Whoever subtracts
//!   one place, programme or project from another gets what stands on those pages, and nothing of what they hold back. People counted
//!   once do not add up, so that their number is not among them.
//! - **Exact**, for staff: of the projects whose programme they run, for any span of days, with people counted once over all of them.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entities::ids::{PlaceId, ProjectId};
use sea_orm::{DatabaseConnection, DbErr, FromQueryResult};

use super::scope::{Scope, Sql};
use crate::delivery::{Cell, Figures};
use crate::identity::{Actor, Permission};
use crate::platform::http::Problem;

/// One count of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Different people; only in exact figures.
    pub people: Option<i64>,
    /// Absent if nothing of it can be shown.
    pub person_times: Option<i64>,
    /// Whether some of it is left out because few people make it up.
    pub held_back: bool,
}

impl Count {
    /// Adds what a project's page shows.
    fn add(&mut self, shown: Option<Cell>) {
        match shown {
            Some(cell) => self.person_times = Some(self.person_times.unwrap_or_default() + cell.person_times()),
            None => self.held_back = true,
        }
    }

    fn exact(cell: Cell) -> Self {
        Self { people: Some(cell.people), person_times: Some(cell.person_times()), held_back: false }
    }
}

/// A place's or a child's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Served {
    pub total: Count,
    pub groups: BTreeMap<String, Count>,
}

/// Who was at confirmed services and was not taken off the list; `who` tells people apart over all projects, but for those who are
/// known by their door, whom each project knows for itself.
const CAME: &str = "FROM projects p JOIN project_services s ON s.project_id = p.id AND s.state = 'confirmed' \
    JOIN project_service_people q ON q.service_id = s.id JOIN project_beneficiaries b ON b.id = q.beneficiary_id \
    LEFT JOIN project_service_corrections a ON a.service_id = q.service_id AND a.beneficiary_id = q.beneficiary_id";
const IN_GROUPS: &str =
    "JOIN project_service_people_groups r ON r.service_id = q.service_id AND r.beneficiary_id = q.beneficiary_id";
/// Those who were only counted, as it was sealed and as corrections changed it; without a name, all of them.
const HEADS: &str = "
    SELECT p.id AS project_id, p.community_id AS community_id, p.place_path AS path, CAST('' AS text) AS name, s.heads AS amount
    FROM projects p JOIN project_services s ON s.project_id = p.id AND s.state = 'confirmed' WHERE {there}
    UNION ALL
    SELECT p.id, p.community_id, p.place_path, n.name, n.amount FROM projects p
    JOIN project_services s ON s.project_id = p.id AND s.state = 'confirmed'
    JOIN project_service_counts n ON n.service_id = s.id AND n.what = 'heads' WHERE {there}
    UNION ALL
    SELECT p.id, p.community_id, p.place_path, CASE WHEN c.what = 'heads' THEN '' ELSE c.name END, c.delta FROM projects p
    JOIN project_services s ON s.project_id = p.id AND s.state = 'confirmed'
    JOIN project_service_corrections c ON c.service_id = s.id AND c.what IN ('heads', 'group_heads') WHERE {there}";

#[derive(FromQueryResult)]
struct OfProject {
    project_id: ProjectId,
    community_id: PlaceId,
    path: String,
    name: String,
    people: i64,
    attended: i64,
    heads: i64,
}

/// What everybody may know; one statement, a few rows a project. `minimum` is that of each community.
pub(super) async fn shown(
    connection: &DatabaseConnection,
    scope: &Scope,
    minimum: &HashMap<PlaceId, i64>,
) -> Result<(Served, BTreeMap<String, Served>), DbErr> {
    let mut sql = Sql::new(connection);
    let there = sql.projects(scope);
    let key = "p.id AS project_id, p.community_id AS community_id, p.place_path AS path";
    let people = "COUNT(DISTINCT b.who) AS people, COUNT(*) AS attended, CAST(0 AS bigint) AS heads";
    let text = format!(
        "SELECT {key}, CAST('' AS text) AS name, {people} {CAME} WHERE a.id IS NULL AND {there} \
         GROUP BY p.id, p.community_id, p.place_path \
         UNION ALL SELECT {key}, r.name, {people} {CAME} {IN_GROUPS} WHERE a.id IS NULL AND {there} \
         GROUP BY p.id, p.community_id, p.place_path, r.name \
         UNION ALL SELECT project_id, community_id, path, name, CAST(0 AS bigint), CAST(0 AS bigint), CAST(SUM(amount) AS bigint) \
         FROM ({}) counted GROUP BY project_id, community_id, path, name",
        HEADS.replace("{there}", &there)
    );
    let mut projects: BTreeMap<ProjectId, (PlaceId, String, Figures)> = BTreeMap::new();
    for row in sql.read::<OfProject>(text).all(connection).await? {
        let (_, _, figures) =
            projects.entry(row.project_id).or_insert_with(|| (row.community_id, row.path, Figures::default()));
        let cell = if row.name.is_empty() { &mut figures.total } else { figures.groups.entry(row.name).or_default() };
        cell.people += row.people;
        cell.attended += row.attended;
        cell.heads += row.heads;
    }
    let (mut total, mut children) = (Served::default(), BTreeMap::<String, Served>::new());
    for (community, path, figures) in projects.into_values() {
        // A community that nobody set a minimum for has the server's: it is always among them.
        let shown = figures.shown(minimum.get(&community).copied().unwrap_or(i64::MAX));
        let child = children.entry(scope.child_of(&path).to_owned()).or_default();
        for served in [&mut total, child] {
            served.total.add(shown.total);
            for (name, cell) in &shown.groups {
                served.groups.entry(name.clone()).or_default().add(*cell);
            }
        }
    }
    Ok((total, children))
}

/// From a day until a day, both of them included.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub from: Option<NaiveDate>,
    pub until: Option<NaiveDate>,
}

/// What staff see.
pub(super) struct Exact {
    pub total: Served,
    pub children: BTreeMap<String, Served>,
    /// Projects that served somebody and are run by a programme of others.
    pub projects_of_others: i64,
}

/// Exact figures of the projects that the caller runs, or of no programme; three statements.
pub(super) async fn exact(
    connection: &DatabaseConnection,
    actor: &Actor,
    scope: &Scope,
    span: Span,
) -> Result<Exact, Problem> {
    #[derive(FromQueryResult)]
    struct Row {
        whole: i64,
        child: String,
        name: String,
        people: i64,
        attended: i64,
        heads: i64,
    }
    #[derive(FromQueryResult)]
    struct Others {
        count: i64,
    }
    let run = actor.require_somewhere(Permission::ManageProjects)?;
    let mut sql = Sql::new(connection);
    let there = format!("{} AND {}", sql.projects(scope), own(&mut sql, &run));
    let there = format!("{there}{}", held_on(&mut sql, span));
    let child = sql.child("p.place_path", scope);
    let people = "COUNT(DISTINCT b.who) AS people, COUNT(*) AS attended, CAST(0 AS bigint) AS heads";
    let mut parts = Vec::new();
    for (whole, place) in [(1, "CAST('' AS text)"), (0, child.as_str())] {
        for (name, groups) in [("CAST('' AS text)", ""), ("r.name", IN_GROUPS)] {
            parts.push(format!(
                "SELECT CAST({whole} AS bigint) AS whole, {place} AS child, {name} AS name, {people} {CAME} {groups} \
                 WHERE a.id IS NULL AND {there} GROUP BY 2, 3"
            ));
        }
    }
    let of_heads = sql.child("path", scope);
    parts.push(format!(
        "SELECT CAST(0 AS bigint), {of_heads}, name, CAST(0 AS bigint), CAST(0 AS bigint), CAST(SUM(amount) AS bigint) \
         FROM ({}) counted GROUP BY 2, 3",
        HEADS.replace("{there}", &there)
    ));
    let mut counted: BTreeMap<Option<String>, Figures> = BTreeMap::new();
    for row in sql.read::<Row>(parts.join(" UNION ALL ")).all(connection).await? {
        let of_child = (row.whole == 0).then(|| row.child.clone());
        // Heads add up; people do not, and were counted for the whole place by themselves.
        let whole = (row.whole == 0).then_some((None, 0, 0));
        for (place, people, attended) in whole.into_iter().chain([(of_child, row.people, row.attended)]) {
            let figures = counted.entry(place).or_default();
            let cell = if row.name.is_empty() {
                &mut figures.total
            } else {
                figures.groups.entry(row.name.clone()).or_default()
            };
            cell.people += people;
            cell.attended += attended;
            cell.heads += row.heads;
        }
    }
    let total = counted.remove(&None).map(served).unwrap_or_default();
    let children = counted.into_iter().filter_map(|(child, figures)| Some((child?, served(figures)))).collect();
    let mut sql = Sql::new(connection);
    let others = format!("{} AND NOT {}", sql.projects(scope), own(&mut sql, &run));
    let text = format!(
        "SELECT COUNT(*) AS count FROM projects p WHERE {others} \
         AND EXISTS (SELECT 1 FROM project_services s WHERE s.project_id = p.id AND s.state = 'confirmed')"
    );
    let others = sql.read::<Others>(text).one(connection).await?;
    Ok(Exact { total, children, projects_of_others: others.map_or(0, |row| row.count) })
}

fn served(figures: Figures) -> Served {
    let groups = figures.groups.into_iter().map(|(name, cell)| (name, Count::exact(cell))).collect();
    Served { total: Count::exact(figures.total), groups }
}

/// A condition on `projects p`: whoever holds the permission at these paths runs them.
fn own(sql: &mut Sql, paths: &[&str]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| format!("({})", sql.within("g.place_path", path))).collect();
    format!(
        "(p.programme_id IS NULL OR p.programme_id IN (SELECT g.id FROM programmes g WHERE {}))",
        paths.join(" OR ")
    )
}

fn held_on(sql: &mut Sql, span: Span) -> String {
    let from = span.from.map(|day| format!(" AND s.held_on >= {}", sql.bind(day.to_string())));
    let until = span.until.map(|day| format!(" AND s.held_on <= {}", sql.bind(day.to_string())));
    from.into_iter().chain(until).collect()
}
