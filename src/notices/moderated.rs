//! What moderators can do to an objection: hide its text. The objection itself stands until it is answered.

use async_trait::async_trait;
use entities::ids::ObjectionId;
use entities::moderation::ModerationAction;
use entities::notices::{objection, window};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel,
    QuerySelect,
};
use uuid::Uuid;

use crate::platform::capability::{Moderated, Preview};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// The word for an objection in the queue, in reports and in the inbox.
pub(super) const KIND: &str = "objection";

/// Whether everybody may read an objection's text.
pub(super) fn is_public(row: &objection::Model) -> bool {
    row.published_at.is_some() && !row.hidden
}

pub(super) struct Objections;

#[async_trait(?Send)]
impl Moderated for Objections {
    async fn preview(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Preview>, Problem> {
        let found = objection::Entity::find_by_id(ObjectionId(id)).one(connection).await?;
        let Some(row) = found else { return Ok(None) };
        let board = window::Entity::find_by_id(row.notice_id).one(connection).await?.ok_or(Code::Internal)?;
        Ok(Some(Preview {
            community_id: board.place_id,
            author_id: row.author_id,
            public: is_public(&row),
            excerpt: row.text.chars().take(60).collect(),
            place_path: row.place_path,
        }))
    }

    /// Carrying out the same decision twice changes nothing the second time.
    async fn apply(
        &self,
        state: &AppState,
        txn: &DatabaseTransaction,
        id: Uuid,
        action: ModerationAction,
    ) -> Result<(), Problem> {
        let found = objection::Entity::find_by_id(ObjectionId(id)).lock_exclusive().one(txn).await?;
        let row = found.ok_or(Code::NotFound)?;
        let published_at = row.published_at;
        let mut row = row.into_active_model();
        row.hidden = Set(action == ModerationAction::Hide);
        if action != ModerationAction::Hide {
            row.published_at = Set(published_at.or(Some(state.clock.now())));
        }
        row.update(txn).await?;
        Ok(())
    }
}
