use async_trait::async_trait;
use entities::ids::RatingId;
use entities::judgement::rating;
use entities::projects::project;
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::moderation::ModerationAction;
use crate::platform::capability::{Moderated, Preview};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// The word for a rating's comment in the moderators' queue.
pub(super) const KIND: &str = "rating";

pub(super) struct Ratings;

#[async_trait(?Send)]
impl Moderated for Ratings {
    async fn preview(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Preview>, Problem> {
        let row = rating::Entity::find().filter(rating::Column::Id.eq(RatingId(id))).one(connection).await?;
        let Some(row) = row else { return Ok(None) };
        let Some(comment) = row.comment else { return Ok(None) };
        let project = project::Entity::find_by_id(row.project_id).one(connection).await?.ok_or(Code::Internal)?;
        Ok(Some(Preview {
            community_id: project.community_id,
            place_path: project.place_path,
            author_id: row.user_id,
            excerpt: comment.chars().take(100).collect(),
            public: row.shown,
        }))
    }

    async fn apply(
        &self,
        _: &AppState,
        txn: &DatabaseTransaction,
        id: Uuid,
        action: ModerationAction,
    ) -> Result<(), Problem> {
        let changed = rating::Entity::update_many()
            .col_expr(rating::Column::Shown, (action != ModerationAction::Hide).into())
            .filter(rating::Column::Id.eq(RatingId(id)))
            .filter(rating::Column::Comment.is_not_null())
            .exec(txn)
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(Code::NotFound.into()) }
    }
}
