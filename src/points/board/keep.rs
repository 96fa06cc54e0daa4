//! Keeps sorted sets as their rows are; `mod.rs` says why that holds.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, UserId};
use entities::places::place;
use entities::points::score;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement, Value,
};
use uuid::Uuid;

use super::domain::{self, END, Place};
use super::{Failure, Name, REBUILD, compare};
use crate::places::PlaceKind;
use crate::platform::cache::{Change, Lease, Written};
use crate::platform::http::transact;
use crate::platform::state::AppState;
use crate::platform::{ids, jobs};
use crate::points::domain::Period;

/// So many rows are read, written and noted at once: a few milliseconds of Redis' only thread.
const BATCH: usize = 2000;
/// A keeper that has not written for this long is taken for dead.
const LEASE: Duration = Duration::from_secs(30);
/// So long nobody else asks for the same rebuild.
const ASKED: Duration = Duration::from_secs(30);

/// A row of a board.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct Row {
    pub user_id: UserId,
    points: i64,
    reached_at: DateTime<Utc>,
    pub version: i64,
    pub boarded: i64,
    board_opt_out: bool,
}

impl Row {
    pub(super) fn place(&self) -> Place {
        if self.board_opt_out { Place::Nowhere } else { domain::place(self.points, self.reached_at) }
    }
}

/// Rows of a board by id, from the one after `after`; with `only`, those that its condition holds for.
pub(super) async fn rows(
    state: &AppState,
    name: &Name,
    after: Uuid,
    limit: usize,
    only: &str,
) -> Result<Vec<Row>, DbErr> {
    let connection = state.db.read();
    let sql = format!(
        "SELECT s.user_id, s.points, s.reached_at, s.version, s.boarded, u.board_opt_out
         FROM points_scores s JOIN users u ON u.id = s.user_id
         WHERE s.community_id = $1 AND s.period = $2 AND s.user_id > $3 {only}
         ORDER BY s.user_id LIMIT $4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 4] = [name.community.into(), name.period.clone().into(), after.into(), limit.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Row::find_by_statement(statement).all(connection).await
}

/// Who may write a board's sets.
struct Keeper<'a> {
    state: &'a AppState,
    name: &'a Name,
    lease: String,
    token: String,
}

/// What came of keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Yes,
    /// The lease is another's, or the cache lost it.
    NotHolder,
}

impl<'a> Keeper<'a> {
    /// Nobody while there is another.
    async fn take(state: &'a AppState, name: &'a Name) -> Result<Option<Self>, Failure> {
        let keeper =
            Self { state, name, lease: format!("{}:keeper", name.key()), token: ids::unordered::<Uuid>().to_string() };
        let taken = state.cache.set_if_absent(&keeper.lease, &keeper.token, LEASE).await?;
        Ok(taken.then_some(keeper))
    }

    fn lease(&self) -> Lease<'_> {
        Lease { key: &self.lease, token: &self.token, ttl: LEASE }
    }

    async fn release(self) -> Result<(), Failure> {
        self.state.cache.compare_and_delete(&self.lease, &self.token).await?;
        Ok(())
    }

    /// Tells the set what changed, if there is one, and notes that it was told.
    async fn tell(&self) -> Result<Kept, Failure> {
        let Self { state, name, .. } = *self;
        let mut after = Uuid::nil();
        loop {
            let rows = rows(state, name, after, BATCH, "AND s.boarded < s.version").await?;
            let Some(last) = rows.last() else { return Ok(Kept::Yes) };
            after = last.user_id.0;
            let mut change = Change::default();
            for row in &rows {
                match row.place() {
                    Place::At(score) => change.put.push((row.user_id.0, score)),
                    Place::Nowhere => change.remove.push(row.user_id.0),
                    Place::Beyond => state.cache.delete(&name.key()).await?,
                }
            }
            if state.sets.sorted_write(&name.key(), &change, self.lease()).await? == Written::NotHolder {
                return Ok(Kept::NotHolder);
            }
            self.note(&rows).await?;
            if rows.len() < BATCH {
                return Ok(Kept::Yes);
            }
        }
    }

    /// Notes the versions that were told. A row that somebody else has locked is changing: it will be told again, and to wait
    /// for it could be a deadlock.
    async fn note(&self, rows: &[Row]) -> Result<(), DbErr> {
        let txn = self.state.db.begin().await?;
        let skip = if self.state.db.is_postgres() { "FOR UPDATE OF p SKIP LOCKED" } else { "" };
        let mut values: Vec<Value> = vec![self.name.community.into(), self.name.period.clone().into()];
        let mut told = Vec::new();
        for row in rows {
            told.push(format!("(${}, ${})", values.len() + 1, values.len() + 2));
            values.extend([Value::from(row.user_id), row.version.into()]);
        }
        let sql = format!(
            "UPDATE points_scores SET boarded = told.version FROM (
                 SELECT p.user_id, v.column2 AS version FROM points_scores p JOIN (VALUES {}) AS v ON v.column1 = p.user_id
                 WHERE p.community_id = $1 AND p.period = $2 AND p.boarded < v.column2 {skip}
             ) AS told
             WHERE points_scores.community_id = $1 AND points_scores.period = $2 AND points_scores.user_id = told.user_id",
            told.join(", ")
        );
        txn.execute_raw(Statement::from_sql_and_values(txn.get_database_backend(), sql, values)).await?;
        txn.commit().await
    }

    /// Fills a set of its own name and puts it in the board's place; false if that did not come to its end.
    async fn rebuild(&self) -> Result<bool, Failure> {
        let Self { state, name, .. } = *self;
        let fresh = format!("{}:new:{}", name.key(), self.token);
        let mut change = Change { put: vec![END], create: true, ..Change::default() };
        let mut len = 0_usize;
        let mut after = Uuid::nil();
        loop {
            let rows = rows(state, name, after, BATCH, "AND s.points > 0").await?;
            for row in &rows {
                match row.place() {
                    Place::At(score) => change.put.push((row.user_id.0, score)),
                    Place::Nowhere => {}
                    Place::Beyond => {
                        tracing::warn!(board = name.key(), person = %row.user_id, "too many points for a sorted set");
                        state.cache.delete(&fresh).await?;
                        return Ok(false);
                    }
                }
            }
            len += change.put.len();
            if state.sets.sorted_write(&fresh, &change, self.lease()).await? != Written::Done {
                return Ok(false);
            }
            change.put.clear();
            match rows.last() {
                Some(last) if rows.len() == BATCH => after = last.user_id.0,
                _ => break,
            }
        }
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let published =
            state.sets.sorted_publish(&fresh, &name.key(), len, domain::kept(&name.period), self.lease()).await?;
        if published {
            state.cache.delete(&asked(name)).await?;
        }
        Ok(published)
    }
}

/// Makes a board's set anew, unless somebody is at it; readers see the old one, or the rows, until it is complete.
pub async fn rebuild(state: &AppState, name: &Name) -> Result<bool, Failure> {
    let Some(keeper) = Keeper::take(state, name).await? else { return Ok(false) };
    let done = async { Ok(keeper.rebuild().await? && keeper.tell().await? == Kept::Yes) }.await;
    keeper.release().await?;
    done
}

/// Tells every set what has changed since it was told; a board whose lease is taken comes later.
pub async fn tell(state: &AppState) -> Result<(), Failure> {
    if !state.sets.is_shared() {
        return Ok(());
    }
    let boards: Vec<(PlaceId, String)> = score::Entity::find()
        .select_only()
        .columns([score::Column::CommunityId, score::Column::Period])
        .filter(sea_orm::sea_query::Expr::cust("boarded < version"))
        .distinct()
        .limit(1000)
        .into_tuple()
        .all(state.db.read())
        .await?;
    for (community, period) in boards {
        tell_one(state, &Name { community, period }).await?;
    }
    Ok(())
}

async fn tell_one(state: &AppState, name: &Name) -> Result<(), Failure> {
    let Some(keeper) = Keeper::take(state, name).await? else { return Ok(()) };
    let told = keeper.tell().await;
    keeper.release().await?;
    told.map(drop)
}

/// What the worker does for a set that all processes share, a reader does for one in its own process.
pub(super) async fn refresh(state: &AppState, name: &Name) -> Result<(), Failure> {
    if state.sets.sorted_len(&name.key()).await?.is_none() {
        rebuild(state, name).await?;
    }
    if !rows(state, name, Uuid::nil(), 1, "AND s.boarded < s.version").await?.is_empty() {
        tell_one(state, name).await?;
    }
    Ok(())
}

fn asked(name: &Name) -> String {
    format!("{}:asked", name.key())
}

/// A reader missed a set: promises the worker's rebuild, once however many readers there are.
pub(super) async fn ask(state: &AppState, name: &Name) {
    if !state.sets.is_shared() {
        return;
    }
    let first = state.cache.set_if_absent(&asked(name), "1", ASKED).await;
    if !first.is_ok_and(|first| first) {
        return;
    }
    let promised = transact(state, async |txn| jobs::enqueue(txn, &state.clock, REBUILD.0, name).await).await;
    if let Err(problem) = promised {
        tracing::warn!(%problem, "no rebuild was promised");
    }
}

/// The boards of now that have a set.
pub(super) async fn kept(state: &AppState) -> Result<Vec<Name>, Failure> {
    let communities = place::Entity::find().filter(place::Column::Kind.eq(PlaceKind::Community)).all(state.db.read());
    let mut names = Vec::new();
    for community in communities.await? {
        for name in Period::ALL.map(|period| Name::now(state, community.id, period)) {
            if state.sets.sorted_len(&name.key()).await?.is_some() {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Compares each set with its rows, the number of people and the next thousand of them, and makes anew what differs: for what
/// no rule foresees, such as a Redis that came back from an old copy.
pub async fn check(state: &AppState) -> Result<(), Failure> {
    for name in kept(state).await? {
        let place = format!("{}:checked", name.key());
        let after = state.cache.get(&place).await?.and_then(|text| text.parse().ok()).unwrap_or_default();
        let part = compare::part(state, &name, after, 1000).await?;
        let next = part.next.unwrap_or_default().to_string();
        state.cache.set(&place, &next, Duration::from_hours(24)).await?;
        if !part.differ.is_empty() || compare::another_number(state, &name).await?.is_some() {
            tracing::warn!(board = name.key(), "a sorted set differs from its rows and is made anew");
            rebuild(state, &name).await?;
        }
    }
    Ok(())
}
