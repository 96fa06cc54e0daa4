//! What the platform itself does again and again, and what `linli verify` asks of it.

use std::time::Duration;

use chrono::TimeDelta;
use entities::jobs::{JobState, idempotency_key, job};
use futures_util::FutureExt;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};

use super::capability::{Capability, Schedule};
use super::http::transact;
use super::jobs::JobError;
use super::state::AppState;

/// A client that has not repeated a request for this long has given up.
const KEYS_KEPT: TimeDelta = TimeDelta::hours(48);

/// The platform as a capability without routes.
pub fn capability() -> Capability {
    Capability {
        name: "platform",
        schedules: vec![Schedule {
            name: "platform.tidy",
            every: Duration::from_hours(1),
            run: |state| tidy(state).boxed_local(),
        }],
        verify: Some(|state| verify(state).boxed_local()),
        ..Capability::default()
    }
}

async fn tidy(state: AppState) -> Result<(), JobError> {
    state.rate_limits.forget_idle();
    let old = state.clock.now() - KEYS_KEPT;
    transact(&state, async |txn| {
        idempotency_key::Entity::delete_many().filter(idempotency_key::Column::CreatedAt.lt(old)).exec(txn).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

/// Promised work that nobody will do any more.
async fn verify(state: &AppState) -> Result<Vec<String>, DbErr> {
    let parked = job::Entity::find().filter(job::Column::State.eq(JobState::Parked)).count(state.db.read()).await?;
    Ok(if parked == 0 { Vec::new() } else { vec![format!("{parked} job(s) are parked: see `linli jobs`")] })
}
