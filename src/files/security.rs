//! WeChat's judgement of a picture or a voice: asked for by a job, answered by a push.

use chrono::TimeDelta;
use entities::files::{FileState, file};
use entities::identity::user;
use entities::ids::FileId;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::domain::Audience;
use super::service;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::platform::wechat::Suggest;
use crate::platform::wechat::push::MediaOutcome;

pub(super) const JOB: &str = "files.check";

/// WeChat has half an hour to fetch a picture.
const LINK: TimeDelta = TimeDelta::hours(1);
/// Shorter than it takes until a job is parked: then a person looks at the picture instead.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

#[derive(Serialize, Deserialize)]
pub(super) struct Payload {
    pub file_id: FileId,
}

/// Has WeChat check a picture or a voice. What it refuses for good goes to a person.
pub(super) async fn check(state: AppState, payload: Value) -> Result<(), JobError> {
    let Payload { file_id } = serde_json::from_value(payload)?;
    let Some(row) = file::Entity::find_by_id(file_id).one(state.db.read()).await? else { return Ok(()) };
    if row.state != FileState::Pending || row.trace_id.is_some() {
        return Ok(());
    }
    let Some(owner) = user::Entity::find_by_id(row.owner_id).one(state.db.read()).await? else { return Ok(()) };
    // Not the round end of other links: WeChat refuses an address that it is still busy with, as after an answer that got lost.
    let now = state.clock.now();
    let url = service::signed(&state, file_id, false, Audience::Insider, (now + LINK).timestamp());
    let asked = if row.duration_ms.is_some() {
        state.wechat.check_voice(&owner.openid, &url).await
    } else {
        state.wechat.check_image(&owner.openid, &url).await
    };
    let asked = match asked {
        Err(error) if error.is_transient() && now < row.created_at + PATIENCE => {
            return Err(JobError::Retry(error.to_string()));
        }
        asked => asked,
    };
    transact(&state, async |txn| {
        let pending = file::Entity::update_many()
            .filter(file::Column::Id.eq(file_id))
            .filter(file::Column::State.eq(FileState::Pending));
        let changed = match asked {
            Ok(trace_id) => pending.col_expr(file::Column::TraceId, trace_id.into()),
            Err(error) => {
                tracing::warn!(%file_id, %error, "a picture goes unchecked to a person");
                pending.col_expr(file::Column::State, FileState::Review.into())
            }
        };
        changed.exec(txn).await?;
        Ok(())
    })
    .await?;
    Ok(())
}

/// Stores a pushed verdict; gives the picture, or nothing while no picture is known by the trace id. A second one changes
/// nothing.
pub async fn verdict(
    txn: &DatabaseTransaction,
    trace_id: &str,
    outcome: MediaOutcome,
) -> Result<Option<FileId>, Problem> {
    let verdict = match outcome {
        MediaOutcome::Checked(verdict) => match verdict.suggest {
            Suggest::Pass => FileState::Passed,
            Suggest::Review => FileState::Review,
            Suggest::Risky => FileState::Blocked,
        },
        // WeChat could not fetch it, or not read it: a person looks.
        MediaOutcome::Failed { .. } => FileState::Review,
    };
    file::Entity::update_many()
        .col_expr(file::Column::State, verdict.into())
        .filter(file::Column::TraceId.eq(trace_id))
        .filter(file::Column::State.eq(FileState::Pending))
        .exec(txn)
        .await?;
    let known = file::Entity::find().filter(file::Column::TraceId.eq(trace_id)).one(txn).await?;
    Ok(known.map(|row| row.id))
}
