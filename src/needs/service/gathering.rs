//! Needs that topics and projects take up, let go and end: for those capabilities, in their transactions.

use std::collections::HashSet;

use entities::ids::{NeedId, PlaceId, ProjectId, UserId};
use entities::needs::{NeedEventKind, NeedState, need};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::answers::{Answer, settle};
use super::{note, people_of};
use crate::identity::Actor;
use crate::needs::domain;
use crate::notifications::{self, Message, Template};
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// Locks needs of a community that must all be in one of some states, or 422 at `/need_ids`.
async fn all_in(
    txn: &DatabaseTransaction,
    community: PlaceId,
    ids: &[NeedId],
    states: &[NeedState],
) -> Result<Vec<need::Model>, Problem> {
    let wanted: HashSet<_> = ids.iter().copied().collect();
    let rows = need::Entity::find()
        .filter(need::Column::Id.is_in(wanted.iter().copied()))
        .filter(need::Column::CommunityId.eq(community))
        .filter(need::Column::Hidden.eq(false))
        .order_by_asc(need::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    // Looked at under the lock: on PostgreSQL the condition itself would be, but SQLite's is, too.
    if rows.len() != wanted.len() || rows.iter().any(|row| !states.contains(&row.state)) {
        let why = "须为本社区相应状态的需求 / must be needs of the community in a state that allows this";
        return Err(Problem::field("/need_ids", why));
    }
    Ok(rows)
}

/// Moves needs between two states, with an event each.
async fn move_all(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    rows: &[need::Model],
    to: NeedState,
    event: (NeedEventKind, Option<&str>, Uuid),
) -> Result<(), Problem> {
    let ids: Vec<NeedId> = rows.iter().map(|row| row.id).collect();
    need::Entity::update_many()
        .col_expr(need::Column::State, to.into())
        .filter(need::Column::Id.is_in(ids.iter().copied()))
        .exec(txn)
        .await?;
    let (kind, text, related) = event;
    note(state, txn, ids, kind, (text, Some(related)), Some(actor.user_id)).await
}

/// Puts published needs of a community into a topic, or 422 at `/need_ids`; their people are told.
pub async fn gather(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    community: PlaceId,
    (topic, title): (Uuid, &str),
    ids: &[NeedId],
) -> Result<(), Problem> {
    let rows = all_in(txn, community, ids, &domain::UNTAKEN).await?;
    move_all(state, txn, actor, &rows, NeedState::InTopic, (NeedEventKind::InTopic, Some(title), topic)).await?;
    for row in &rows {
        let message = Message {
            kind: "need.in_topic",
            title: "您的需求进入议事".to_owned(),
            body: format!("“{}”列入议题“{title}”", row.title),
            target: Some(("topic", topic)),
            dedupe_key: format!("need.in_topic:{}:{topic}", row.id),
            template: Template::Need,
        };
        notifications::tell_all(state, txn, &people_of(row), &message).await?;
    }
    Ok(())
}

/// Takes needs out of a topic again; those that a project has taken up meanwhile stay where they are.
pub async fn release(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    topic: Uuid,
    ids: &[NeedId],
) -> Result<(), Problem> {
    let rows = in_topic(txn, ids).await?;
    move_all(state, txn, actor, &rows, NeedState::Published, (NeedEventKind::LeftTopic, None, topic)).await
}

/// How a topic ends its needs without a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// They are handled directly: they stay open until that is done, with what was decided for an answer.
    Answered,
    /// They are not pursued.
    Declined,
}

/// Gives the needs of a topic that no project has taken up their public answer: nobody's where a vote decided.
pub async fn end(
    state: &AppState,
    txn: &DatabaseTransaction,
    by: Option<UserId>,
    topic: Uuid,
    ids: &[NeedId],
    (ending, text): (Ending, &str),
) -> Result<(), Problem> {
    let how = match ending {
        Ending::Answered => Answer::Word,
        Ending::Declined => Answer::Decline,
    };
    for row in in_topic(txn, ids).await? {
        settle(state, txn, by, row, (how, text), Some(topic)).await?;
    }
    Ok(())
}

async fn in_topic(txn: &DatabaseTransaction, ids: &[NeedId]) -> Result<Vec<need::Model>, Problem> {
    let rows = need::Entity::find()
        .filter(need::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(need::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    Ok(rows.into_iter().filter(|row| row.state == NeedState::InTopic).collect())
}

/// The needs that a project answers are resolved with it, all who said or supported them told; gives how many. For whoever finishes
/// the project, in their transaction.
pub async fn resolve_of_project(
    state: &AppState,
    txn: &DatabaseTransaction,
    by: Option<UserId>,
    project: ProjectId,
    text: &str,
) -> Result<usize, Problem> {
    let rows = need::Entity::find()
        .filter(need::Column::ProjectId.eq(project))
        .filter(need::Column::State.eq(NeedState::InProject))
        .order_by_asc(need::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    let count = rows.len();
    for row in rows {
        settle(state, txn, by, row, (Answer::Resolve, text), Some(project.0)).await?;
    }
    Ok(count)
}
