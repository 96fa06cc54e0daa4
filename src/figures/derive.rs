//! A month's sums from what the other capabilities recorded: each figure is one query over all communities.

use std::collections::BTreeMap;

use entities::ids::PlaceId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

use super::domain::{Sum, Sums};
use crate::platform::calendar::Month;

/// Minutes belong to the month in which they were confirmed, and corrections to the month in which they were made.
const MINUTES: &str = "
    SELECT community_id, CAST(SUM(minutes) AS bigint) AS value, COUNT(DISTINCT user_id) AS people
    FROM (
        SELECT community_id, user_id, minutes FROM signups
        WHERE state = 'credited' AND confirmed_at >= $1 AND confirmed_at < $2
        UNION ALL
        SELECT community_id, user_id, delta FROM service_corrections WHERE corrected_at >= $1 AND corrected_at < $2
    ) AS served
    GROUP BY community_id";

/// What transactions of a kind and phase moved into or out of wallets. What paid a debt at once was issued all the same.
fn moved(kind: &str, phase: &str, side: &str) -> String {
    format!(
        "SELECT w.community_id, CAST(SUM(t.amount) AS bigint) AS value, COUNT(DISTINCT w.owner_id) AS people
         FROM ledger_transactions x JOIN ledger_transfers t ON t.transaction_id = x.id JOIN ledger_accounts w ON w.id = t.{side}
         WHERE x.kind = '{kind}' AND x.phase = '{phase}' AND w.kind = 'wallet' AND x.created_at >= $1 AND x.created_at < $2
         GROUP BY w.community_id"
    )
}

/// What was taken back is what had been brought into wallets, whether it was still there, was owed or had expired.
const REVERSED: &str = "
    SELECT w.community_id, CAST(SUM(t.amount) AS bigint) AS value, COUNT(DISTINCT w.owner_id) AS people
    FROM ledger_transactions x JOIN ledger_transfers t ON t.transaction_id = x.reverses_id JOIN ledger_accounts w ON w.id = t.credit_id
    WHERE x.kind = 'reversal' AND w.kind = 'wallet' AND x.created_at >= $1 AND x.created_at < $2
    GROUP BY w.community_id";

const GIFTS: &str = "
    SELECT community_id, COUNT(*) AS value, COUNT(DISTINCT user_id) AS people
    FROM redemptions WHERE state = 'settled' AND ended_at >= $1 AND ended_at < $2
    GROUP BY community_id";

/// Who served, was awarded points or took a reward.
const ACTIVE: &str = "
    SELECT community_id, COUNT(DISTINCT person) AS value, COUNT(DISTINCT person) AS people FROM (
        SELECT community_id, user_id AS person FROM signups
        WHERE state = 'credited' AND confirmed_at >= $1 AND confirmed_at < $2
        UNION
        SELECT w.community_id, w.owner_id FROM ledger_transactions x
        JOIN ledger_transfers t ON t.transaction_id = x.id JOIN ledger_accounts w ON w.id = t.credit_id
        WHERE x.kind = 'award' AND x.phase = 'posted' AND w.kind = 'wallet' AND x.created_at >= $1 AND x.created_at < $2
        UNION
        SELECT community_id, user_id FROM redemptions WHERE state = 'settled' AND ended_at >= $1 AND ended_at < $2
    ) AS active
    GROUP BY community_id";

/// Where a query's sum belongs.
type Part = fn(&mut Sums) -> &mut Sum;

fn parts() -> [(String, Part); 7] {
    [
        (MINUTES.to_owned(), |sums| &mut sums.minutes),
        (moved("award", "posted", "credit_id"), |sums| &mut sums.points_issued),
        (moved("redemption", "post", "debit_id"), |sums| &mut sums.points_redeemed),
        (moved("expiry", "posted", "debit_id"), |sums| &mut sums.points_expired),
        (REVERSED.to_owned(), |sums| &mut sums.points_reversed),
        (GIFTS.to_owned(), |sums| &mut sums.gifts),
        (ACTIVE.to_owned(), |sums| &mut sums.people_active),
    ]
}

#[derive(FromQueryResult)]
struct Row {
    community_id: PlaceId,
    value: i64,
    people: i64,
}

/// A month of every community as the records say now; one in which nothing happened is not among them.
pub(super) async fn sums(connection: &impl ConnectionTrait, month: Month) -> Result<BTreeMap<PlaceId, Sums>, DbErr> {
    let mut all: BTreeMap<PlaceId, Sums> = BTreeMap::new();
    for (sql, part) in parts() {
        let values = [month.starts().into(), month.ends().into()];
        let query = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        for Row { community_id, value, people } in Row::find_by_statement(query).all(connection).await? {
            *part(all.entry(community_id).or_default()) = Sum { value, people };
        }
    }
    Ok(all)
}
