//! What moderators can do to a need.

use async_trait::async_trait;
use entities::ids::{FileId, NeedId};
use entities::moderation::ModerationAction;
use entities::needs::{NeedState, need, need_file};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait,
    IntoActiveModel, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::domain;
use super::service::{self, similar};
use crate::files;
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::capability::{Moderated, Preview};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// The word for a need in the queue, in reports and in the inbox.
pub(super) const KIND: &str = "need";

pub(super) struct Needs;

#[async_trait(?Send)]
impl Moderated for Needs {
    async fn preview(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Preview>, Problem> {
        let row = need::Entity::find_by_id(NeedId(id)).one(connection).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Preview {
            community_id: row.community_id,
            // Whoever wrote the words.
            author_id: row.recorder_id.or(row.author_id).ok_or(Code::Internal)?,
            public: domain::is_public(row.state, row.hidden),
            excerpt: row.title,
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
        let row = need::Entity::find_by_id(NeedId(id)).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
        let (before, title) = (row.state, row.title.clone());
        let published_at = row.published_at.unwrap_or(state.clock.now());
        let (category, community) = (row.category, row.community_id);
        let mut row = row.into_active_model();
        row.hidden = Set(action == ModerationAction::Hide);
        let published = action != ModerationAction::Hide && before == NeedState::InReview;
        if published {
            row.state = Set(domain::approved(before));
            row.published_at = Set(Some(published_at));
            let rules = places::rules(state, txn, community).await?;
            row.due_at = Set(Some(domain::due(&rules, category, published_at)));
        }
        let row = row.update(txn).await?;
        similar::refresh(state, txn, &row).await?;
        let pictures: Vec<FileId> = need_file::Entity::find()
            .select_only()
            .column(need_file::Column::FileId)
            .filter(need_file::Column::NeedId.eq(row.id))
            .into_tuple()
            .all(txn)
            .await?;
        files::show(txn, &pictures, domain::is_public(row.state, row.hidden)).await?;
        if !published {
            return Ok(());
        }
        let message = Message {
            kind: "need.published",
            title: "您的需求已发布".to_owned(),
            body: title,
            target: Some((KIND, id)),
            dedupe_key: format!("need:{id}:published"),
            template: Template::Need,
        };
        notifications::tell_all(state, txn, &service::people_of(&row), &message).await
    }
}
