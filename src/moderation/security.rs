//! Content security: the text by a job that asks WeChat, the pictures as their verdicts arrive, and a sweep for what got lost.

use chrono::TimeDelta;
use entities::identity::user;
use entities::ids::{FileId, ModerationItemId};
use entities::moderation::{ModerationAction, ModerationReason, ModerationState, SecurityState, item, item_file};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::domain;
use super::service::moderated;
use crate::files;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::platform::wechat::{Scene, Suggest};

pub(super) const TEXT_JOB: &str = "moderation.text";
pub(super) const PICTURES_JOB: &str = "moderation.pictures";

/// So long a text is tried again; shorter than it takes until a job is parked.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// WeChat pushes a picture's verdict within half an hour, or never.
const LOST: TimeDelta = TimeDelta::minutes(40);
/// Items that one sweep looks at.
const SWEPT: u64 = 200;

#[derive(Serialize, Deserialize)]
pub(super) struct TextPayload {
    pub item_id: ModerationItemId,
    pub title: String,
    pub text: String,
    pub scene: Scene,
}

#[derive(Serialize, Deserialize)]
pub(super) struct PicturePayload {
    pub file_id: FileId,
}

/// Has WeChat check a text. What it will not check goes to a person.
pub(super) async fn check_text(state: AppState, payload: Value) -> Result<(), JobError> {
    let TextPayload { item_id, title, text, scene } = serde_json::from_value(payload)?;
    let Some(row) = item::Entity::find_by_id(item_id).one(state.db.read()).await? else { return Ok(()) };
    if row.state != ModerationState::Open || row.security != Some(SecurityState::Text) {
        return Ok(());
    }
    let Some(author) = user::Entity::find_by_id(row.author_id).one(state.db.read()).await? else { return Ok(()) };
    let verdict = match state.wechat.check_text(&author.openid, &text, scene, Some(&title)).await {
        Ok(verdict) if verdict.suggest == Suggest::Pass => SecurityState::Pictures,
        Ok(_) => SecurityState::Risky,
        Err(error) if error.is_transient() && state.clock.now() < row.created_at + PATIENCE => {
            return Err(JobError::Retry(error.to_string()));
        }
        Err(error) => {
            tracing::warn!(%item_id, %error, "a text goes unchecked to a person");
            SecurityState::Unchecked
        }
    };
    Ok(transact(&state, async |txn| advance(&state, txn, item_id, SecurityState::Text, verdict).await).await?)
}

/// A picture has its verdict: what waits for it may go on.
pub(super) async fn picture_judged(state: AppState, payload: Value) -> Result<(), JobError> {
    let PicturePayload { file_id } = serde_json::from_value(payload)?;
    let waiting: Vec<ModerationItemId> = item_file::Entity::find()
        .select_only()
        .column(item_file::Column::ItemId)
        .filter(item_file::Column::FileId.eq(file_id))
        .into_tuple()
        .all(state.db.read())
        .await?;
    for item_id in waiting {
        look_at_pictures(&state, item_id).await?;
    }
    Ok(())
}

async fn look_at_pictures(state: &AppState, item_id: ModerationItemId) -> Result<(), Problem> {
    let pictures = SecurityState::Pictures;
    transact(state, async |txn| advance(state, txn, item_id, pictures, pictures).await).await
}

/// Moves an item from one stage of the check to where `verdict` leads, and what it is about with it. An item that has left
/// the stage, or on which a person has decided, stays as it is.
async fn advance(
    state: &AppState,
    txn: &DatabaseTransaction,
    item_id: ModerationItemId,
    from: SecurityState,
    verdict: SecurityState,
) -> Result<(), Problem> {
    let Some(row) = item::Entity::find_by_id(item_id).lock_exclusive().one(txn).await? else { return Ok(()) };
    if row.state != ModerationState::Open || row.security != Some(from) {
        return Ok(());
    }
    // Read under the lock: a verdict that is stored later finds the item at this stage when its own job locks it.
    let verdict = if verdict == SecurityState::Pictures {
        let mine = item_file::Entity::find().filter(item_file::Column::ItemId.eq(item_id)).all(txn).await?;
        let mine: Vec<FileId> = mine.into_iter().map(|row| row.file_id).collect();
        domain::pictures(&files::states(txn, &mine).await?)
    } else {
        verdict
    };
    let (kind, target, reason) = (row.target_kind.clone(), row.target_id, row.reason);
    let mut row = row.into_active_model();
    row.security = Set(Some(verdict));
    if matches!(verdict, SecurityState::Risky | SecurityState::Unchecked) && reason == ModerationReason::New {
        row.reason = Set(ModerationReason::Risky);
    }
    row.update(txn).await?;
    if verdict == SecurityState::Passed {
        moderated(state, &kind)?.apply(state, txn, target, ModerationAction::Approve).await?;
    }
    Ok(())
}

/// Finds what no job or push brings forward any more, so that nothing waits for ever: pictures that went to a person without
/// a push, and checks that never came back.
pub(super) async fn sweep(state: AppState) -> Result<(), JobError> {
    let waiting = item::Entity::find()
        .filter(item::Column::State.eq(ModerationState::Open))
        .filter(item::Column::Security.is_in([SecurityState::Text, SecurityState::Pictures]))
        .order_by_asc(item::Column::CreatedAt)
        .limit(SWEPT)
        .all(state.db.read())
        .await?;
    for row in waiting {
        let outcome = match row.security {
            Some(from) if row.created_at + LOST <= state.clock.now() => {
                let lost = SecurityState::Unchecked;
                transact(&state, async |txn| advance(&state, txn, row.id, from, lost).await).await
            }
            Some(SecurityState::Pictures) => look_at_pictures(&state, row.id).await,
            _ => Ok(()),
        };
        // One that cannot go on must not hold up the others.
        if let Err(error) = outcome {
            tracing::warn!(item_id = %row.id, %error, "an item stays where it is");
        }
    }
    Ok(())
}
