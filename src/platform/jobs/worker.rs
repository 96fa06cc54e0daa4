//! Takes due jobs and schedules and does them. Any number of processes may: each row is taken by one.

use std::time::Duration;

use chrono::TimeDelta;
use entities::jobs::{JobState, job, schedule};
use futures_util::future::join_all;
use rand::RngExt;
use sea_orm::sea_query::{LockBehavior, LockType, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter,
};
use tokio::sync::watch;

use super::JobError;
use crate::platform::capability::Schedule;
use crate::platform::state::AppState;

/// So many jobs are under way at once.
const BATCH: u64 = 8;
/// A worker that died with a job loses it after this long.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// Then a job is parked.
const MAX_ATTEMPTS: i32 = 10;
/// How often to look when nobody wakes the worker.
const POLL: Duration = Duration::from_millis(500);

/// Works until `stop` turns true; the jobs in hand are finished first.
pub async fn run(state: AppState, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let did = async { Ok::<_, DbErr>(run_schedules(&state).await? + run_due(&state).await?) }.await;
        match did {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(%error, "the worker cannot reach the database"),
        }
        tokio::select! {
            () = state.work.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Does everything that is due until nothing is; for tests and for `linli` commands that end.
pub async fn drain(state: &AppState) -> Result<(), DbErr> {
    while run_schedules(state).await? + run_due(state).await? > 0 {}
    Ok(())
}

/// Takes one batch of due jobs and does them; says how many.
pub async fn run_due(state: &AppState) -> Result<usize, DbErr> {
    let jobs = take(state).await?;
    let count = jobs.len();
    for outcome in join_all(jobs.into_iter().map(|job| run_one(state, job))).await {
        outcome?;
    }
    Ok(count)
}

async fn take(state: &AppState) -> Result<Vec<job::Model>, DbErr> {
    let now = state.clock.now();
    let due = Condition::any()
        .add(job::Column::State.eq(JobState::Queued).and(job::Column::RunAt.lte(now)))
        .add(job::Column::State.eq(JobState::Running).and(job::Column::LockedUntil.lte(now)));
    let ids = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .cond_where(due)
        .order_by(job::Column::RunAt, sea_orm::sea_query::Order::Asc)
        .limit(BATCH)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let txn = state.db.begin().await?;
    let taken = job::Entity::update_many()
        .col_expr(job::Column::State, JobState::Running.into())
        .col_expr(job::Column::LockedUntil, (now + LEASE).into())
        .col_expr(job::Column::Attempts, sea_orm::sea_query::Expr::col(job::Column::Attempts).add(1))
        .filter(job::Column::Id.in_subquery(ids))
        .exec_with_returning(&txn)
        .await?;
    txn.commit().await?;
    Ok(taken)
}

async fn run_one(state: &AppState, job: job::Model) -> Result<(), DbErr> {
    let handler = state.capabilities.iter().flat_map(|capability| &capability.jobs).find(|(kind, _)| *kind == job.kind);
    let outcome = match handler {
        Some((_, handler)) => handler(state.clone(), job.payload.clone()).await,
        None => Err(JobError::Hopeless("no handler for this kind".to_owned())),
    };
    let outcome_word = if outcome.is_ok() { "done" } else { "failed" };
    metrics::counter!("linli_jobs_total", "kind" => job.kind.clone(), "outcome" => outcome_word).increment(1);
    let txn = state.db.begin().await?;
    match outcome {
        Ok(()) => {
            job::Entity::delete_by_id(job.id).exec(&txn).await?;
        }
        Err(error) => {
            let parked = matches!(error, JobError::Hopeless(_)) || job.attempts >= MAX_ATTEMPTS;
            tracing::warn!(kind = %job.kind, id = %job.id, attempts = job.attempts, parked, %error, "job failed");
            let mut row = job.clone().into_active_model();
            row.state = Set(if parked { JobState::Parked } else { JobState::Queued });
            row.run_at = Set(state.clock.now() + backoff(job.attempts));
            row.locked_until = Set(None);
            row.last_error = Set(Some(error.to_string()));
            row.update(&txn).await?;
        }
    }
    txn.commit().await
}

/// 2, 4, 8 … seconds, at most ten minutes, each up to half longer so that failures do not march in step.
fn backoff(attempts: i32) -> TimeDelta {
    let exponent = u32::try_from(attempts.clamp(1, 10)).unwrap_or(10);
    let base = std::cmp::min(2_i64.saturating_pow(exponent), 600) * 1000;
    TimeDelta::milliseconds(base + rand::rng().random_range(0..=base / 2))
}

async fn run_schedules(state: &AppState) -> Result<usize, DbErr> {
    let mut ran = 0;
    for schedule in state.capabilities.iter().flat_map(|capability| &capability.schedules) {
        if take_schedule(state, schedule).await? {
            ran += 1;
            if let Err(error) = (schedule.run)(state.clone()).await {
                tracing::warn!(schedule = schedule.name, %error, "schedule failed");
            }
        }
    }
    Ok(ran)
}

async fn take_schedule(state: &AppState, schedule: &Schedule) -> Result<bool, DbErr> {
    let now = state.clock.now();
    let next = now + TimeDelta::from_std(schedule.every).unwrap_or(TimeDelta::MAX);
    let known = schedule::Entity::find_by_id(schedule.name).one(state.db.read()).await?;
    if known.as_ref().is_some_and(|row| row.next_at > now) {
        return Ok(false);
    }
    let txn = state.db.begin().await?;
    let row = schedule::ActiveModel { name: Set(schedule.name.to_owned()), next_at: Set(next) };
    let taken = if known.is_none() {
        let nothing = OnConflict::column(schedule::Column::Name).do_nothing().to_owned();
        schedule::Entity::insert(row).on_conflict(nothing).exec_without_returning(&txn).await?
    } else {
        schedule::Entity::update_many()
            .col_expr(schedule::Column::NextAt, next.into())
            .filter(schedule::Column::Name.eq(schedule.name))
            .filter(schedule::Column::NextAt.lte(now))
            .exec(&txn)
            .await?
            .rows_affected
    };
    txn.commit().await?;
    Ok(taken == 1)
}
