//! A board from its sorted set: one round trip to the cache, one to the database for the names.

use std::collections::HashMap;

use entities::identity::user;
use entities::ids::UserId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::domain::{self, END, GROUP};
use super::{AROUND, Board, Failure, Line, Name, Standing, keep};
use crate::identity::masked_name;
use crate::platform::cache::{Near, Seen, View};
use crate::platform::state::AppState;
use crate::points::domain::Period;

/// What there was.
#[derive(Debug)]
pub enum Found {
    /// The board.
    Board(Board),
    /// There is no set.
    Missing,
    /// Somebody whom the set still shows opted out a moment ago.
    Stale,
}

/// Reads a board from its set.
pub async fn read(
    state: &AppState,
    name: &Name,
    period: Period,
    viewer: UserId,
    limit: usize,
) -> Result<Found, Failure> {
    if !state.sets.is_shared() {
        keep::refresh(state, name).await?;
    }
    let view = View { first: limit, member: viewer.0, around: AROUND, group: GROUP };
    let Some(Seen { mut first, mut near }) = state.sets.sorted_view(&name.key(), view).await? else {
        return Ok(Found::Missing);
    };
    first.retain(|line| line.0 != END.0);
    near.retain(|line| line.member != END.0);
    let ids: Vec<Uuid> = first.iter().map(|line| line.0).chain(near.iter().map(|line| line.member)).collect();
    let Some(names) = names(state, ids).await? else { return Ok(Found::Stale) };
    let line = |rank: i64, member: Uuid, score: u64| {
        Some(Line { rank, name: names.get(&member)?.clone(), points: domain::points(score) })
    };
    let mut last = None;
    let items = (1..).zip(first).map(|(at, (member, score))| {
        let (points, rank) =
            last.filter(|(points, _)| *points == domain::points(score)).unwrap_or((domain::points(score), at));
        last = Some((points, rank));
        line(rank, member, score)
    });
    let Some(items) = items.collect() else { return Ok(Found::Stale) };
    let rank = |line: &Near| i64::try_from(line.before).map_or(i64::MAX, |before| before + 1);
    let me = near.iter().find(|line| line.member == viewer.0);
    let me = me.map(|line| Standing { rank: rank(line), points: domain::points(line.score) });
    let neighbours = near.iter().filter(|line| line.member != viewer.0);
    let Some(neighbours) = neighbours.map(|each| line(rank(each), each.member, each.score)).collect() else {
        return Ok(Found::Stale);
    };
    Ok(Found::Board(Board { period, items, me, neighbours }))
}

/// Masked names, or nothing when somebody among them has opted out.
async fn names(state: &AppState, ids: Vec<Uuid>) -> Result<Option<HashMap<Uuid, String>>, Failure> {
    let Some(first) = ids.first().copied() else { return Ok(Some(HashMap::new())) };
    // A few lengths, so that the database plans a few statements and not fifty.
    let length = ids.len().next_multiple_of(20);
    let ids = ids.into_iter().chain(std::iter::repeat(first)).take(length);
    let rows: Vec<(UserId, String, bool)> = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::Nickname, user::Column::BoardOptOut])
        .filter(user::Column::Id.is_in(ids))
        .into_tuple()
        .all(state.db.read())
        .await?;
    Ok(rows.into_iter().map(|(id, nickname, out)| (!out).then(|| (id.0, masked_name(&nickname)))).collect())
}
