//! What residents of a place say on its topics.

use async_trait::async_trait;
use chrono::TimeDelta;
use entities::ids::{TopicCommentId, TopicId};
use entities::moderation::ModerationAction;
use entities::topics::{TopicState, comment};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::service;
use crate::identity::Actor;
use crate::moderation::{self, Submission};
use crate::platform::capability::{Moderated, Preview};
use crate::platform::code::Code;
use crate::platform::http::{Problem, lock_person};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::platform::wechat::Scene;

/// The word for a comment in the queue and in reports.
pub(super) const KIND: &str = "topic_comment";
/// Comments that one person may write in a day.
const A_DAY: u64 = 50;

/// Stores a comment and sends it to content security: for verified residents of the topic's place, while it is not resolved.
pub(super) async fn write(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TopicId,
    body: &str,
) -> Result<comment::Model, Problem> {
    let topic = service::find(txn, id).await?;
    actor.require_resident(txn, &topic.place_path).await?;
    if topic.state == TopicState::Resolved {
        return Err(Code::TopicResolved.into());
    }
    let now = state.clock.now();
    lock_person(txn, actor.user_id).await?;
    let today = comment::Entity::find()
        .filter(comment::Column::AuthorId.eq(actor.user_id))
        .filter(comment::Column::CreatedAt.gt(now - TimeDelta::days(1)));
    if today.count(txn).await? >= A_DAY {
        return Err(Problem::new(Code::RateLimited, format!("at most {A_DAY} comments a day")));
    }
    let row = comment::ActiveModel {
        id: Set(ids::ordered::<TopicCommentId>(&state.clock)),
        topic_id: Set(id),
        community_id: Set(topic.community_id),
        place_path: Set(topic.place_path.clone()),
        author_id: Set(actor.user_id),
        body: Set(body.to_owned()),
        published: Set(false),
        hidden: Set(false),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    let submission = Submission {
        community_id: row.community_id,
        place_path: &topic.place_path,
        target_kind: KIND,
        target_id: row.id.0,
        author: actor.user_id,
        title: "",
        text: body,
        file_ids: &[],
        scene: Scene::Comment,
    };
    moderation::submit(state, txn, submission).await?;
    Ok(row)
}

pub(super) struct Comments;

#[async_trait(?Send)]
impl Moderated for Comments {
    async fn preview(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Preview>, Problem> {
        let row = comment::Entity::find_by_id(TopicCommentId(id)).one(connection).await?;
        Ok(row.map(|row| Preview {
            community_id: row.community_id,
            place_path: row.place_path,
            author_id: row.author_id,
            public: row.published && !row.hidden,
            excerpt: row.body.chars().take(80).collect(),
        }))
    }

    /// Carrying out the same decision twice changes nothing the second time.
    async fn apply(
        &self,
        _: &AppState,
        txn: &DatabaseTransaction,
        id: Uuid,
        action: ModerationAction,
    ) -> Result<(), Problem> {
        let row = comment::Entity::find_by_id(TopicCommentId(id)).lock_exclusive().one(txn).await?;
        let row = row.ok_or(Code::NotFound)?;
        let published = row.published || action != ModerationAction::Hide;
        let mut row = row.into_active_model();
        row.hidden = Set(action == ModerationAction::Hide);
        row.published = Set(published);
        row.update(txn).await?;
        Ok(())
    }
}
