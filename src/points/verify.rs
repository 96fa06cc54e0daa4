//! Makes the scores and the budgets anew and compares; asks the database whether rules and caps hold.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::{EarningId, PlaceId, UserId};
use entities::points::{award_budget, earning, score};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};
use uuid::Uuid;

use super::board;
use super::domain::{Calculation, Period};
use crate::platform::calendar;
use crate::platform::state::AppState;

/// See [`crate::platform::db::Db::audit`].
const RULES: &[(&str, &str)] = &[
    (
        "earning {} names a version that its rule does not have, or that did not hold yet",
        "SELECT e.id FROM points_earnings e LEFT JOIN points_rules r \
         ON r.community_id = e.community_id AND r.key = e.rule AND r.version = e.version \
         WHERE e.version > 0 AND (r.version IS NULL OR r.from_at > e.created_at)",
    ),
    ("earning {} was granted more than its cap of the day", "SELECT id FROM points_earnings WHERE granted > daily_cap"),
    (
        "user {} has a counter of a day that is not the sum of what was granted",
        "SELECT d.user_id AS id FROM points_days d LEFT JOIN points_earnings e ON e.user_id = d.user_id \
         AND e.community_id = d.community_id AND e.rule = d.rule AND e.day = d.day \
         GROUP BY d.user_id, d.community_id, d.rule, d.day, d.granted HAVING d.granted <> COALESCE(SUM(e.granted), 0)",
    ),
    (
        "earning {} was not credited exactly what was granted",
        "SELECT e.id FROM points_earnings e LEFT JOIN ledger_transactions x ON x.id = e.entry_id AND x.kind = 'award' \
         AND x.source_id = e.source_id AND x.source_kind = e.source_kind \
         LEFT JOIN ledger_transfers t ON t.transaction_id = x.id \
         GROUP BY e.id, e.granted HAVING COALESCE(SUM(t.amount), 0) <> e.granted",
    ),
    (
        "award {} by hand was not credited exactly its points, or stands for something that was not credited",
        "SELECT a.id FROM points_awards a LEFT JOIN ledger_transactions x ON x.id = a.entry_id AND x.kind = 'award' \
         LEFT JOIN ledger_transfers t ON t.transaction_id = x.id GROUP BY a.id, a.amount, a.state \
         HAVING COALESCE(SUM(t.amount), 0) <> CASE WHEN a.state IN ('awarded', 'reversed') THEN a.amount ELSE 0 END",
    ),
    (
        "award {} by hand is reversed here and not in the ledger, or there and not here",
        "SELECT a.id FROM points_awards a LEFT JOIN ledger_transactions r ON r.reverses_id = a.entry_id \
         WHERE (a.state = 'reversed') <> (r.id IS NOT NULL)",
    ),
    (
        "award {} by hand was decided by one person alone",
        "SELECT id FROM points_awards WHERE asked_by = user_id OR decided_by IN (asked_by, user_id) \
         OR (two_persons AND state <> 'pending' AND decided_by IS NULL)",
    ),
    (
        "account {} gives away more than the community's budget",
        "SELECT id FROM ledger_accounts WHERE kind = 'budget' AND posted - reserved < 0",
    ),
    (
        "earning {} is counted in no day",
        "SELECT e.id FROM points_earnings e WHERE NOT EXISTS (SELECT 1 FROM points_days d WHERE d.user_id = e.user_id \
         AND d.community_id = e.community_id AND d.rule = e.rule AND d.day = e.day)",
    ),
];

/// What somebody was awarded in a community on one of China's days.
#[derive(FromQueryResult)]
struct Earned {
    community_id: PlaceId,
    user_id: UserId,
    day: String,
    points: i64,
    reached_at: DateTime<Utc>,
}

/// What somebody asked for by hand on one of China's days.
#[derive(FromQueryResult)]
struct Given {
    actor_id: UserId,
    day: String,
    spent: i64,
}

pub(super) async fn run(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = state.db.audit(RULES).await?;
    findings.extend(scores(state).await?);
    findings.extend(budgets(state).await?);
    findings.extend(calculations(state.db.read()).await?);
    match board::verify(state).await {
        Ok(more) => findings.extend(more),
        Err(board::Failure::Database(error)) => return Err(error),
        // Without the cache boards are read from the rows.
        Err(board::Failure::Cache(error)) => tracing::warn!(%error, "boards were not compared"),
    }
    Ok(findings)
}

async fn scores(state: &AppState) -> Result<Vec<String>, DbErr> {
    let connection = state.db.read();
    let day = calendar::day_sql(state.db.is_postgres(), "x.created_at");
    let mut findings = Vec::new();
    // What was reversed is earned no more; the moment in which a score was reached stays that of the latest award.
    let earned = Statement::from_string(
        connection.get_database_backend(),
        format!(
            "SELECT w.community_id, w.owner_id AS user_id, {day} AS day,
                CAST(SUM(CASE WHEN r.id IS NULL THEN t.amount ELSE 0 END) AS bigint) AS points, MAX(x.created_at) AS reached_at
             FROM ledger_transactions x
             JOIN ledger_transfers t ON t.transaction_id = x.id
             JOIN ledger_accounts w ON w.id = t.credit_id
             LEFT JOIN ledger_transactions r ON r.reverses_id = x.id
             WHERE x.kind = 'award' GROUP BY 1, 2, 3"
        ),
    );
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
    Ok(findings)
}

async fn budgets(state: &AppState) -> Result<Vec<String>, DbErr> {
    let connection = state.db.read();
    let day = calendar::day_sql(state.db.is_postgres(), "asked_at");
    let mut findings = Vec::new();
    let given = Statement::from_string(
        connection.get_database_backend(),
        format!(
            "SELECT asked_by AS actor_id, {day} AS day, CAST(SUM(amount) AS bigint) AS spent
         FROM points_awards GROUP BY 1, 2"
        ),
    );
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
                "the budget of user {} on {} says {}, the awards say {spent:?}",
                row.actor_id, row.day, row.spent
            ));
        }
    }
    findings.extend(
        given.into_keys().map(|(actor, day)| format!("user {actor} awarded by hand on {day} and has no budget row")),
    );
    Ok(findings)
}

/// What was asked is what the kept calculation gives.
async fn calculations(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    const STEP: u64 = 1000;
    let mut findings = Vec::new();
    let mut after = EarningId(Uuid::nil());
    loop {
        let rows = earning::Entity::find()
            .filter(earning::Column::Id.gt(after))
            .order_by_asc(earning::Column::Id)
            .limit(STEP)
            .all(connection)
            .await?;
        let Some(last) = rows.last() else { return Ok(findings) };
        after = last.id;
        for row in rows {
            let points = serde_json::from_value::<Calculation>(row.calculation).map(|kept| kept.points());
            if points.ok() != Some(row.asked) {
                findings.push(format!("earning {} asked for other points than its calculation gives", row.id));
            }
        }
    }
}
