//! Merchants' statements: once a merchant and month, from the redemptions that were settled in it.

use std::collections::BTreeMap;

use entities::ids::{MerchantId, RewardId};
use entities::rewards::{merchant, statement};
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};

use crate::platform::calendar::Month;
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::ids;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::rewards::domain::statement::{Line, hash, table, total};

/// A server that stood still makes up for so many months.
const MONTHS: usize = 12;
/// So many merchants at a time.
const BATCH: u64 = 100;

/// What was settled in a month, by merchant and reward; a redemption belongs to the month in which it was settled.
const SETTLED: &str = "
    SELECT r.merchant_id, r.id AS reward_id, r.title, COUNT(*) AS pieces, CAST(SUM(d.cost) AS bigint) AS points
    FROM rewards r JOIN redemptions d ON d.reward_id = r.id
    WHERE d.state = 'settled' AND d.ended_at >= $1 AND d.ended_at < $2 AND r.merchant_id IS NOT NULL";

#[derive(FromQueryResult)]
struct Row {
    merchant_id: MerchantId,
    reward_id: RewardId,
    title: String,
    pieces: i64,
    points: i64,
}

/// A month's lines of all merchants, or of one, as the redemptions say now.
pub(in crate::rewards) async fn lines(
    connection: &impl ConnectionTrait,
    month: Month,
    only: Option<MerchantId>,
) -> Result<BTreeMap<MerchantId, Vec<Line>>, DbErr> {
    let mut values = vec![month.starts().into(), month.ends().into()];
    values.extend(only.map(sea_orm::Value::from));
    let one = if only.is_some() { "AND r.merchant_id = $3" } else { "" };
    let sql = format!("{SETTLED} {one} GROUP BY r.merchant_id, r.id, r.title ORDER BY r.merchant_id, r.id");
    let query = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let mut lines: BTreeMap<MerchantId, Vec<Line>> = BTreeMap::new();
    for Row { merchant_id, reward_id, title, pieces, points } in Row::find_by_statement(query).all(connection).await? {
        lines.entry(merchant_id).or_default().push(Line { reward_id, title, pieces, points });
    }
    Ok(lines)
}

/// The schedule: makes what is missing of the months that are over. A second time finds nothing missing.
pub(in crate::rewards) async fn make_due(state: &AppState) -> Result<(), JobError> {
    let newest = Month::last_over(state.clock.now());
    for month in std::iter::successors(Some(newest), |month| Some(month.before())).take(MONTHS) {
        loop {
            let missing = missing(state, month).await?;
            let last = missing.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
            for merchant in missing {
                transact(state, async |txn| make(state, txn, &merchant, month).await).await?;
            }
            if last {
                break;
            }
        }
    }
    Ok(())
}

async fn missing(state: &AppState, month: Month) -> Result<Vec<merchant::Model>, DbErr> {
    let made = Query::select()
        .column(statement::Column::MerchantId)
        .from(statement::Entity)
        .and_where(statement::Column::Month.eq(month.to_string()))
        .to_owned();
    merchant::Entity::find()
        .filter(merchant::Column::CreatedAt.lt(month.ends()))
        .filter(merchant::Column::Id.not_in_subquery(made))
        .order_by_asc(merchant::Column::Id)
        .limit(BATCH)
        .all(state.db.read())
        .await
}

/// Makes one statement; whoever makes it at the same time has made the same.
async fn make(
    state: &AppState,
    txn: &DatabaseTransaction,
    merchant: &merchant::Model,
    month: Month,
) -> Result<(), Problem> {
    let lines = lines(txn, month, Some(merchant.id)).await?.remove(&merchant.id).unwrap_or_default();
    let csv = table(&month.to_string(), &merchant.name, &lines);
    let (pieces, points) = total(&lines);
    let row = statement::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        merchant_id: Set(merchant.id),
        month: Set(month.to_string()),
        pieces: Set(pieces),
        points: Set(points),
        lines: Set(serde_json::to_value(&lines).map_err(|error| Problem::from(Code::Internal).caused_by(error))?),
        hash: Set(hash(&csv)),
        csv: Set(csv),
        made_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([statement::Column::MerchantId, statement::Column::Month]).do_nothing().to_owned();
    statement::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await?;
    Ok(())
}
