//! Work that a transaction promises and a worker does: [`enqueue`] writes a row beside the change (outbox), [`worker`] takes
//! the rows. A job runs at least once; one that keeps failing is parked, where `linli jobs` shows it.

pub mod worker;

use chrono::{DateTime, Utc};
use entities::jobs::{JobState, job};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde::Serialize;

use super::clock::Clock;
use super::http::{Problem, transact};
use super::ids;
use super::state::AppState;

/// Why a job did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It may succeed later.
    #[error("{0}")]
    Retry(String),
    /// It never will: park it now.
    #[error("{0}")]
    Hopeless(String),
}

impl From<Problem> for JobError {
    fn from(problem: Problem) -> Self {
        Self::Retry(problem.to_string())
    }
}

impl From<DbErr> for JobError {
    fn from(error: DbErr) -> Self {
        Self::Retry(error.to_string())
    }
}

impl From<serde_json::Error> for JobError {
    fn from(error: serde_json::Error) -> Self {
        Self::Hopeless(error.to_string())
    }
}

/// Promises a job, in the caller's transaction.
pub async fn enqueue(
    txn: &impl ConnectionTrait,
    clock: &Clock,
    kind: &str,
    payload: impl Serialize,
) -> Result<(), Problem> {
    enqueue_at(txn, clock, kind, payload, clock.now()).await
}

/// Promises a job for later, in the caller's transaction.
pub async fn enqueue_at(
    txn: &impl ConnectionTrait,
    clock: &Clock,
    kind: &str,
    payload: impl Serialize,
    run_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let payload =
        serde_json::to_value(payload).map_err(|error| Problem::from(super::code::Code::Internal).caused_by(error))?;
    let row = job::ActiveModel {
        id: Set(ids::ordered(clock)),
        kind: Set(kind.to_owned()),
        payload: Set(payload),
        state: Set(JobState::Queued),
        run_at: Set(run_at),
        locked_until: Set(None),
        attempts: Set(0),
        last_error: Set(None),
        created_at: Set(clock.now()),
    };
    row.insert(txn).await?;
    Ok(())
}

/// The oldest thousand jobs that have failed too often.
pub async fn parked(state: &AppState) -> Result<Vec<job::Model>, DbErr> {
    let parked = job::Entity::find().filter(job::Column::State.eq(JobState::Parked));
    parked.order_by_asc(job::Column::Id).limit(1000).all(state.db.read()).await
}

/// Puts every parked job back into the queue, with all its attempts before it; says how many.
pub async fn retry_parked(state: &AppState) -> Result<u64, Problem> {
    transact(state, async |txn| {
        let queued = job::Entity::update_many()
            .col_expr(job::Column::State, JobState::Queued.into())
            .col_expr(job::Column::Attempts, 0.into())
            .col_expr(job::Column::RunAt, state.clock.now().into())
            .filter(job::Column::State.eq(JobState::Parked));
        Ok(queued.exec(txn).await?.rows_affected)
    })
    .await
}
