//! Whether a sorted set is what its rows say. People whose change the set was not told yet may differ.

use entities::ids::UserId;
use sea_orm::{FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::domain::Place;
use super::keep::{self, Row, rows};
use super::{Failure, Name};
use crate::platform::state::AppState;

/// A part of a board, compared.
pub(super) struct Part {
    /// Who stands elsewhere than their row says.
    pub differ: Vec<UserId>,
    /// Whom the next part begins after; nobody at the end.
    pub next: Option<Uuid>,
}

/// Compares the `limit` rows after an id.
pub(super) async fn part(state: &AppState, name: &Name, after: Uuid, limit: usize) -> Result<Part, Failure> {
    let read = rows(state, name, after, limit, "").await?;
    let next = read.last().filter(|_| read.len() == limit).map(|row| row.user_id.0);
    let members: Vec<Uuid> = read.iter().map(|row| row.user_id.0).collect();
    let Some(scores) = state.sets.sorted_scores(&name.key(), &members).await? else {
        return Ok(Part { differ: Vec::new(), next: None });
    };
    let right = |row: &Row, score: Option<u64>| match row.place() {
        Place::At(at) => score == Some(at),
        Place::Nowhere => score.is_none(),
        Place::Beyond => false,
    };
    let told = |row: &Row| row.boarded == row.version;
    let suspects = read.iter().zip(scores).filter(|(row, score)| told(row) && !right(row, *score));
    let mut differ = Vec::new();
    for (row, _) in suspects.take(100) {
        // The set may have been told of a change made since the row was read.
        let before = Uuid::from_u128(row.user_id.0.as_u128().saturating_sub(1));
        let again = rows(state, name, before, 1, "").await?;
        if again.iter().any(|again| again.user_id == row.user_id && again.version == row.version) {
            differ.push(row.user_id);
        }
    }
    Ok(Part { differ, next })
}

#[derive(FromQueryResult, PartialEq, Eq)]
struct Totals {
    /// On the board, and told.
    listed: i64,
    /// Not told yet.
    changed: i64,
    versions: i64,
}

async fn totals(state: &AppState, name: &Name) -> Result<Option<Totals>, Failure> {
    let connection = state.db.read();
    let sum = |of: &str| format!("CAST(COALESCE(SUM({of}), 0) AS bigint)");
    let sql = format!(
        "SELECT {} AS listed, {} AS changed, {} AS versions
         FROM points_scores s JOIN users u ON u.id = s.user_id WHERE s.community_id = $1 AND s.period = $2",
        sum("CASE WHEN s.boarded = s.version AND s.points > 0 AND NOT u.board_opt_out THEN 1 ELSE 0 END"),
        sum("CASE WHEN s.boarded < s.version THEN 1 ELSE 0 END"),
        sum("s.version"),
    );
    let values: [Value; 2] = [name.community.into(), name.period.clone().into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    Ok(Totals::find_by_statement(statement).one(connection).await?)
}

/// How many people the set has, if that cannot be.
pub(super) async fn another_number(state: &AppState, name: &Name) -> Result<Option<u64>, Failure> {
    let before = totals(state, name).await?;
    let Some(len) = state.sets.sorted_len(&name.key()).await? else { return Ok(None) };
    // One is the set's end.
    let people = i64::try_from(len).unwrap_or(i64::MAX) - 1;
    let possible = |totals: &Totals| (totals.listed..=totals.listed + totals.changed).contains(&people);
    if before.as_ref().is_some_and(possible) {
        return Ok(None);
    }
    let after = totals(state, name).await?;
    let still = before.map(|totals| totals.versions) == after.as_ref().map(|totals| totals.versions);
    Ok((still && !after.as_ref().is_some_and(possible)).then_some(len.saturating_sub(1)))
}

/// Compares every set of now with its rows from end to end; each finding is a sentence.
pub async fn verify(state: &AppState) -> Result<Vec<String>, Failure> {
    let mut findings = Vec::new();
    for name in keep::kept(state).await? {
        let of = format!("the board {} of community {}", name.period, name.community);
        let mut after = Uuid::nil();
        let mut wrong = 0;
        while wrong < 100 {
            let part = part(state, &name, after, 2000).await?;
            wrong += part.differ.len();
            findings
                .extend(part.differ.iter().map(|person| format!("{of} shows user {person} not as their score says")));
            match part.next {
                Some(next) => after = next,
                None => break,
            }
        }
        if let Some(people) = another_number(state, &name).await? {
            findings.push(format!("{of} has {people} people, which is not what the scores say"));
        }
    }
    Ok(findings)
}
