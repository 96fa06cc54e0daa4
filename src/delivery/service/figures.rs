//! A project's figures, counted anew from its confirmed services each time that somebody asks.

use entities::ids::ProjectId;
use entities::projects::project;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};

use super::handing_in::{groups_of, indicators_of};
use crate::cases;
use crate::delivery::domain::counts::{Cell, Figures};
use crate::platform::http::Problem;

/// Who was at confirmed services and was not taken off the list.
const CAME: &str = "FROM project_services s JOIN project_service_people p ON p.service_id = s.id \
    LEFT JOIN project_service_corrections a ON a.service_id = p.service_id AND a.beneficiary_id = p.beneficiary_id";
const COUNTS: &str = "s.project_id = $1 AND s.state = 'confirmed'";

#[derive(FromQueryResult)]
struct Named {
    name: String,
    people: i64,
    amount: i64,
}

async fn rows(connection: &impl ConnectionTrait, sql: &str, id: ProjectId) -> Result<Vec<Named>, Problem> {
    let values: [Value; 1] = [id.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(Named::find_by_statement(statement).all(connection).await?)
}

/// Counts a project; a few queries, however many services there are.
pub async fn figures(connection: &impl ConnectionTrait, project: &project::Model) -> Result<Figures, Problem> {
    let id = project.id;
    let mut figures = Figures::default();
    for name in groups_of(connection, id).await? {
        figures.groups.insert(name, Cell::default());
    }
    for row in indicators_of(connection, id).await? {
        figures.indicators.insert(row.name, 0);
    }

    let all = format!(
        "SELECT '' AS name, COUNT(DISTINCT p.beneficiary_id) AS people, COUNT(*) AS amount {CAME} WHERE {COUNTS} AND a.id IS NULL"
    );
    for row in rows(connection, &all, id).await? {
        figures.total.people = row.people;
        figures.total.attended = row.amount;
    }
    let by_group = format!(
        "SELECT g.name AS name, COUNT(DISTINCT p.beneficiary_id) AS people, COUNT(*) AS amount {CAME} \
         JOIN project_service_people_groups g ON g.service_id = p.service_id AND g.beneficiary_id = p.beneficiary_id \
         WHERE {COUNTS} AND a.id IS NULL GROUP BY g.name"
    );
    for row in rows(connection, &by_group, id).await? {
        let cell = figures.groups.entry(row.name).or_default();
        (cell.people, cell.attended) = (row.people, row.amount);
    }

    let sealed = format!(
        "SELECT s.kind AS name, COUNT(*) AS people, CAST(0 AS bigint) AS amount FROM project_services s WHERE {COUNTS} GROUP BY s.kind"
    );
    for row in rows(connection, &sealed, id).await? {
        figures.services.insert(row.name, row.people);
    }
    // What a word counts, as it was sealed and as corrections changed it.
    let sums = format!(
        "SELECT 'heads' AS name, CAST(0 AS bigint) AS people, CAST(COALESCE(SUM(s.heads), 0) AS bigint) AS amount FROM project_services s WHERE {COUNTS} \
         UNION ALL SELECT 'reached', CAST(0 AS bigint), CAST(COALESCE(SUM(s.reached), 0) AS bigint) FROM project_services s WHERE {COUNTS} \
         UNION ALL SELECT c.what, CAST(0 AS bigint), CAST(COALESCE(SUM(c.delta), 0) AS bigint) FROM project_service_corrections c \
         WHERE c.project_id = $1 AND c.what IN ('heads', 'reached') GROUP BY c.what"
    );
    for row in rows(connection, &sums, id).await? {
        let sum = if row.name == "heads" { &mut figures.total.heads } else { &mut figures.reached };
        *sum += row.amount;
    }
    for (what, corrected, of_groups) in [("heads", "group_heads", true), ("indicator", "indicator", false)] {
        let named = format!(
            "SELECT t.name AS name, CAST(0 AS bigint) AS people, CAST(SUM(t.amount) AS bigint) AS amount FROM (\
             SELECT n.name, n.amount FROM project_service_counts n JOIN project_services s ON s.id = n.service_id \
             WHERE {COUNTS} AND n.what = '{what}' \
             UNION ALL SELECT c.name, c.delta FROM project_service_corrections c WHERE c.project_id = $1 AND c.what = '{corrected}'\
             ) t GROUP BY t.name"
        );
        for row in rows(connection, &named, id).await? {
            if of_groups {
                figures.groups.entry(row.name).or_default().heads = row.amount;
            } else {
                figures.indicators.insert(row.name, row.amount);
            }
        }
    }
    figures.cases = i64::try_from(cases::count_of_project(connection, id).await?).unwrap_or(i64::MAX);
    Ok(figures)
}
