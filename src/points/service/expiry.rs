//! What runs out: posted by a schedule, told of before, and shown.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use entities::ids::{AccountId, PlaceId, UserId};
use entities::ledger::{account, lot};
use entities::points::reminder;
use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ledger::{self, Party};
use crate::notifications::{self, Message, Template};
use crate::platform::calendar;
use crate::platform::capability::Schedule;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;

/// What recurs: expiry is posted, and people are told of what comes.
pub(in crate::points) const SCHEDULES: [Schedule; 2] = [
    Schedule {
        name: "points.expire",
        every: Duration::from_mins(10),
        run: |state| async move { expire(&state).await }.boxed_local(),
    },
    Schedule {
        name: "points.remind",
        every: Duration::from_hours(1),
        run: |state| async move { remind(&state).await }.boxed_local(),
    },
];

/// So many wallets are looked at in one step.
const BATCH: u64 = 500;
/// People are told so many days before the day on which points run out: the farther, then the nearer.
const AHEAD: [i64; 2] = [30, 7];
/// How far ahead one sees what runs out.
const SHOWN_DAYS: i64 = 90;

/// The schedule: posts what has run out, wallet by wallet in the order of their ids. The wallet's lock makes several workers one
/// after the other, and the later ones find nothing left.
pub(in crate::points) async fn expire(state: &AppState) -> Result<(), JobError> {
    let mut after = AccountId(Uuid::nil());
    loop {
        let wallets: Vec<AccountId> = lot::Entity::find()
            .select_only()
            .column(lot::Column::WalletId)
            .filter(Expr::cust("remaining > 0 AND expires_at IS NOT NULL"))
            .filter(lot::Column::ExpiresAt.lte(state.clock.now()))
            .filter(lot::Column::WalletId.gt(after))
            .group_by(lot::Column::WalletId)
            .order_by_asc(lot::Column::WalletId)
            .limit(BATCH)
            .into_tuple()
            .all(state.db.read())
            .await?;
        let Some(last) = wallets.last() else { return Ok(()) };
        after = *last;
        for wallet in wallets {
            transact(state, async |txn| expire_wallet(state, txn, wallet).await).await?;
        }
    }
}

async fn expire_wallet(state: &AppState, txn: &DatabaseTransaction, wallet: AccountId) -> Result<(), Problem> {
    let amount = ledger::expire_due(state, txn, wallet).await?;
    let Some(row) = account::Entity::find_by_id(wallet).one(txn).await?.filter(|_| amount > 0) else { return Ok(()) };
    let now = state.clock.now();
    let message = Message {
        kind: "points.expired",
        title: format!("积分到期：-{amount}"),
        body: format!("{amount}分没有在有效期内使用，已经失效。"),
        target: None,
        dedupe_key: format!("points.expired:{wallet}:{}", now.timestamp_micros()),
        template: Template::Points,
    };
    notifications::tell(state, txn, UserId(row.owner_id), &message).await
}

/// Somebody to be told.
#[derive(FromQueryResult)]
struct Due {
    wallet_id: AccountId,
    day: String,
    amount: i64,
}

/// The schedule: tells everybody whose points run out 30 and 7 days before, once a day of theirs however many lots that are. A
/// reminder is a row that only one worker can add.
pub(in crate::points) async fn remind(state: &AppState) -> Result<(), JobError> {
    let today = calendar::day(state.clock.now());
    let [far, near] = AHEAD;
    for (ahead, from, to) in [(far, near, far), (near, -1, near)] {
        let window = [today + TimeDelta::days(from), today + TimeDelta::days(to)];
        while transact(state, async |txn| remind_batch(state, txn, ahead, window).await).await? {}
    }
    transact(state, async |txn| {
        reminder::Entity::delete_many().filter(reminder::Column::Day.lt(today.to_string())).exec(txn).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

/// Tells one batch of those whose points run out on the days after the window's first up to its second; false if there was none.
async fn remind_batch(
    state: &AppState,
    txn: &DatabaseTransaction,
    ahead: i64,
    [after, until]: [NaiveDate; 2],
) -> Result<bool, Problem> {
    let day = calendar::day_sql(state.db.is_postgres(), "l.expires_at");
    let sql = format!(
        "INSERT INTO points_reminders (wallet_id, day, ahead, amount)
         SELECT due.wallet_id, due.day, $1, due.amount FROM (
             SELECT l.wallet_id, {day} AS day, CAST(SUM(l.remaining) AS bigint) AS amount
             FROM ledger_lots l
             WHERE l.remaining > 0 AND l.expires_at IS NOT NULL AND l.expires_at > $2 AND l.expires_at <= $3
             GROUP BY 1, 2
         ) AS due
         WHERE NOT EXISTS (SELECT 1 FROM points_reminders r
             WHERE r.wallet_id = due.wallet_id AND r.day = due.day AND r.ahead = $1)
         ORDER BY due.wallet_id, due.day LIMIT {BATCH}
         ON CONFLICT (wallet_id, day, ahead) DO NOTHING
         RETURNING wallet_id, day, amount"
    );
    let after = calendar::day_end(after).max(state.clock.now());
    let values = [ahead.into(), after.into(), calendar::day_end(until).into()];
    let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
    let due = Due::find_by_statement(statement).all(txn).await?;
    let owners = account::Entity::find().filter(account::Column::Id.is_in(due.iter().map(|one| one.wallet_id)));
    let owners: BTreeMap<AccountId, (PlaceId, UserId)> =
        owners.all(txn).await?.into_iter().map(|row| (row.id, (row.community_id, UserId(row.owner_id)))).collect();
    // Who reads the same is told with the same statements.
    let mut alike: BTreeMap<(PlaceId, &str, i64), Vec<UserId>> = BTreeMap::new();
    for one in &due {
        if let Some((community, person)) = owners.get(&one.wallet_id) {
            alike.entry((*community, &one.day, one.amount)).or_default().push(*person);
        }
    }
    for ((community, day, amount), mut people) in alike {
        people.sort_unstable();
        let text = day.parse().map_or_else(|_| day.to_owned(), calendar::day_text);
        let message = Message {
            kind: "points.expiring",
            title: format!("{amount}分快到期了"),
            body: format!("您有{amount}分将在{text}结束时失效，请及时兑换。"),
            target: None,
            dedupe_key: format!("points.expiring:{community}:{day}:{ahead}"),
            template: Template::Points,
        };
        notifications::tell_all(state, txn, &people, &message).await?;
    }
    Ok(!due.is_empty())
}

/// Points that run out with a day.
#[derive(Debug, FromQueryResult, Serialize, ToSchema)]
pub(in crate::points) struct Expiring {
    /// China's day, at whose end they are gone.
    on: String,
    amount: i64,
}

/// What runs out in a person's wallet in the next 90 days.
pub(in crate::points) async fn expiring(
    state: &AppState,
    connection: &impl ConnectionTrait,
    community: PlaceId,
    person: UserId,
) -> Result<Vec<Expiring>, Problem> {
    let now = state.clock.now();
    let until = calendar::day_end(calendar::day(now) + TimeDelta::days(SHOWN_DAYS));
    let sql = format!(
        "SELECT {} AS \"on\", CAST(SUM(l.remaining) AS bigint) AS amount FROM ledger_lots l
         WHERE l.wallet_id = $1 AND l.remaining > 0 AND l.expires_at > $2 AND l.expires_at <= $3
         GROUP BY 1 ORDER BY 1",
        calendar::day_sql(state.db.is_postgres(), "l.expires_at")
    );
    let wallet = ledger::account_id(community, Party::Person(person));
    let values = [wallet.into(), now.into(), until.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(Expiring::find_by_statement(statement).all(connection).await?)
}
