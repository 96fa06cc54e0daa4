//! Makes the scores and the budgets anew from the ledger and compares.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::{PlaceId, UserId};
use entities::points::{award_budget, score};
use sea_orm::{DbErr, EntityTrait, FromQueryResult, Statement};

use super::board;
use super::domain::Period;
use super::service::BY_HAND;
use crate::platform::state::AppState;

/// What somebody was awarded in a community on one of China's days.
#[derive(FromQueryResult)]
struct Earned {
    community_id: PlaceId,
    user_id: UserId,
    day: String,
    points: i64,
    reached_at: DateTime<Utc>,
}

/// What somebody awarded by hand on one of China's days.
#[derive(FromQueryResult)]
struct Given {
    actor_id: UserId,
    day: String,
    spent: i64,
}

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let connection = state.db.read();
    let day = if state.db.is_postgres() {
        "to_char(t.created_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')"
    } else {
        "date(t.created_at, '+8 hours')"
    };
    let statement = |sql: String| Statement::from_string(connection.get_database_backend(), sql);
    let mut findings = Vec::new();

    let earned = statement(format!(
        "SELECT w.community_id, w.owner_id AS user_id, {day} AS day,
                CAST(SUM(t.amount) AS bigint) AS points, MAX(t.created_at) AS reached_at
         FROM ledger_transfers t JOIN ledger_accounts w ON w.id = t.credit_id
         WHERE t.kind = 'award' GROUP BY 1, 2, 3"
    ));
    let mut due: BTreeMap<(PlaceId, String, UserId), (i64, DateTime<Utc>)> = BTreeMap::new();
    for row in Earned::find_by_statement(earned).all(connection).await? {
        let Ok(day) = row.day.parse::<NaiveDate>() else { return Err(DbErr::Custom(format!("no day: {}", row.day))) };
        let reached = board::domain::second(row.reached_at);
        for period in Period::ALL {
            let (points, reached_at) =
                due.entry((row.community_id, period.key(day), row.user_id)).or_insert((0, reached));
            *points += row.points;
            *reached_at = reached.max(*reached_at);
        }
    }
    for row in score::Entity::find().all(connection).await? {
        let says = (row.points, row.reached_at);
        let due = due.remove(&(row.community_id, row.period.clone(), row.user_id));
        if due != Some(says) {
            findings.push(format!(
                "the score of user {} in {} of community {} is {says:?}, the ledger says {due:?}",
                row.user_id, row.period, row.community_id
            ));
        }
    }
    findings.extend(due.into_iter().map(|((community, period, person), (points, _))| {
        format!("user {person} earned {points} in {period} of community {community} and has no score")
    }));

    let given = statement(format!(
        "SELECT t.actor_id, {day} AS day, CAST(SUM(t.amount) AS bigint) AS spent
         FROM ledger_transfers t WHERE t.source_kind = '{BY_HAND}' GROUP BY 1, 2"
    ));
    let mut given: BTreeMap<_, _> = Given::find_by_statement(given)
        .all(connection)
        .await?
        .into_iter()
        .map(|row| ((row.actor_id, row.day), row.spent))
        .collect();
    for row in award_budget::Entity::find().all(connection).await? {
        let spent = given.remove(&(row.actor_id, row.day.clone()));
        if spent != Some(row.spent) {
            findings.push(format!(
                "the budget of user {} on {} says {}, the ledger says {spent:?}",
                row.actor_id, row.day, row.spent
            ));
        }
    }
    findings.extend(
        given.into_keys().map(|(actor, day)| format!("user {actor} awarded by hand on {day} and has no budget row")),
    );
    match board::verify(state).await {
        Ok(more) => findings.extend(more),
        Err(board::Failure::Database(error)) => return Err(error),
        // Without the cache boards are read from the rows.
        Err(board::Failure::Cache(error)) => tracing::warn!(%error, "boards were not compared"),
    }
    Ok(findings)
}
