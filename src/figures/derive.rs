//! A month's sums from what the other capabilities recorded: each figure is one query, over all communities or one.

use std::collections::BTreeMap;

use entities::ids::PlaceId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

use super::domain::{Sum, Sums};
use crate::platform::calendar::Month;

/// Minutes belong to the month in which they were confirmed.
const MINUTES: &str = "
    SELECT community_id, CAST(SUM(minutes) AS bigint) AS value, COUNT(DISTINCT user_id) AS people
    FROM signups WHERE state = 'credited' AND confirmed_at >= $1 AND confirmed_at < $2";

const ISSUED: &str = "
    SELECT w.community_id, CAST(SUM(t.amount) AS bigint) AS value, COUNT(DISTINCT w.owner_id) AS people
    FROM ledger_transfers t JOIN ledger_accounts w ON w.id = t.credit_id
    WHERE t.kind = 'award' AND t.phase = 'posted' AND t.created_at >= $1 AND t.created_at < $2";

const REDEEMED: &str = "
    SELECT w.community_id, CAST(SUM(t.amount) AS bigint) AS value, COUNT(DISTINCT w.owner_id) AS people
    FROM ledger_transfers t JOIN ledger_accounts w ON w.id = t.debit_id
    WHERE t.kind = 'redemption' AND t.phase = 'post' AND t.created_at >= $1 AND t.created_at < $2";

const GIFTS: &str = "
    SELECT community_id, COUNT(*) AS value, COUNT(DISTINCT user_id) AS people
    FROM redemptions WHERE state = 'settled' AND ended_at >= $1 AND ended_at < $2";

/// Who served, was awarded points or took a reward.
const ACTIVE: &str = "
    SELECT community_id, COUNT(DISTINCT person) AS value, COUNT(DISTINCT person) AS people FROM (
        SELECT community_id, user_id AS person FROM signups
        WHERE state = 'credited' AND confirmed_at >= $1 AND confirmed_at < $2
        UNION
        SELECT w.community_id, w.owner_id FROM ledger_transfers t JOIN ledger_accounts w ON w.id = t.credit_id
        WHERE t.kind = 'award' AND t.phase = 'posted' AND t.created_at >= $1 AND t.created_at < $2
        UNION
        SELECT community_id, user_id FROM redemptions WHERE state = 'settled' AND ended_at >= $1 AND ended_at < $2
    ) AS active WHERE 1 = 1";

/// Where a query's sum belongs.
type Part = fn(&mut Sums) -> &mut Sum;

#[derive(FromQueryResult)]
struct Row {
    community_id: PlaceId,
    value: i64,
    people: i64,
}

/// A month as the records say now.
pub(super) async fn sums(
    connection: &impl ConnectionTrait,
    month: Month,
    only: Option<PlaceId>,
) -> Result<BTreeMap<PlaceId, Sums>, DbErr> {
    let parts: [(&str, Part); 4] = [
        (MINUTES, |sums| &mut sums.minutes),
        (ISSUED, |sums| &mut sums.points_issued),
        (REDEEMED, |sums| &mut sums.points_redeemed),
        (GIFTS, |sums| &mut sums.gifts),
    ];
    let mut all: BTreeMap<PlaceId, Sums> = BTreeMap::new();
    for (sql, part) in parts {
        for row in rows(connection, sql, month, only).await? {
            *part(all.entry(row.community_id).or_default()) = Sum { value: row.value, people: row.people };
        }
    }
    for row in rows(connection, ACTIVE, month, only).await? {
        all.entry(row.community_id).or_default().people_active = row.value;
    }
    Ok(all)
}

async fn rows(
    connection: &impl ConnectionTrait,
    sql: &str,
    month: Month,
    only: Option<PlaceId>,
) -> Result<Vec<Row>, DbErr> {
    let mut values = vec![month.starts().into(), month.ends().into()];
    values.extend(only.map(sea_orm::Value::from));
    // The column's name is the same in each.
    let column = if sql.contains("JOIN ledger_accounts w") && !sql.contains("UNION") {
        "w.community_id"
    } else {
        "community_id"
    };
    let one = if only.is_some() { format!("AND {column} = $3") } else { String::new() };
    let sql = format!("{sql} {one} GROUP BY {column}");
    let query = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Row::find_by_statement(query).all(connection).await
}
