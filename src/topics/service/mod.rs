pub(super) mod deliberations;

use chrono::{DateTime, Utc};
use entities::ids::{NeedId, PlaceId, TopicId};
use entities::topics::{TopicState, topic, topic_need};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use super::KIND;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::{audit, needs, places};

/// Needs in one topic.
pub(super) const NEEDS: u64 = 200;

/// A topic to be opened.
pub(super) struct NewTopic<'a> {
    pub place_id: PlaceId,
    pub title: &'a str,
    pub summary: &'a str,
    pub need_ids: &'a [NeedId],
}

/// Opens a topic, as staff of its place.
pub(super) async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    new: NewTopic<'_>,
) -> Result<topic::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, new.place_id, "/place_id").await?;
    actor.require(Permission::Moderate, &place.path)?;
    let row = topic::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        title: Set(new.title.to_owned()),
        summary: Set(new.summary.to_owned()),
        state: Set(TopicState::Open),
        created_by: Set(actor.user_id),
        created_at: Set(state.clock.now()),
        ..Default::default()
    };
    let row = row.insert(txn).await?;
    let target = (KIND, row.id.0);
    audit::record(state, txn, Some(actor.user_id), "topic.open", target, Some(row.place_id), json!({})).await?;
    take_in(state, txn, actor, &row, new.need_ids).await?;
    Ok(row)
}

/// A topic by its id, or 404.
pub(super) async fn find(connection: &impl ConnectionTrait, id: TopicId) -> Result<topic::Model, Problem> {
    topic::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// A topic, locked, for staff of its place; it must be open.
pub(super) async fn open_for_staff(
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TopicId,
) -> Result<topic::Model, Problem> {
    let row = topic::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    actor.require(Permission::Moderate, &row.place_path)?;
    if row.state == TopicState::Open { Ok(row) } else { Err(Code::TopicResolved.into()) }
}

/// Takes more needs into an open topic.
pub(super) async fn add(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TopicId,
    ids: &[NeedId],
) -> Result<topic::Model, Problem> {
    let row = open_for_staff(txn, actor, id).await?;
    take_in(state, txn, actor, &row, ids).await?;
    Ok(row)
}

async fn take_in(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &topic::Model,
    ids: &[NeedId],
) -> Result<(), Problem> {
    if ids.is_empty() {
        return Ok(());
    }
    let held = live(row.id).count(txn).await?;
    if held + u64::try_from(ids.len()).unwrap_or(u64::MAX) > NEEDS {
        return Err(Problem::field("/need_ids", format!("最多 {NEEDS} 条 / at most {NEEDS} in a topic")));
    }
    needs::gather(state, txn, actor, row.community_id, (row.id.0, &row.title), ids).await?;
    let mut distinct = ids.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let rows = distinct.into_iter().map(|need| topic_need::ActiveModel {
        topic_id: Set(row.id),
        need_id: Set(need),
        added_by: Set(actor.user_id),
        added_at: Set(state.clock.now()),
        removed_at: Set(None),
    });
    // One that was taken out of this very topic comes back.
    let again = OnConflict::columns([topic_need::Column::TopicId, topic_need::Column::NeedId])
        .value(topic_need::Column::RemovedAt, Expr::value(None::<DateTime<Utc>>))
        .to_owned();
    topic_need::Entity::insert_many(rows).on_conflict(again).exec_without_returning(txn).await?;
    Ok(())
}

/// Takes a need out of an open topic; it is published as before.
pub(super) async fn take_out(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TopicId,
    need: NeedId,
) -> Result<topic::Model, Problem> {
    let row = open_for_staff(txn, actor, id).await?;
    let removed = topic_need::Entity::update_many()
        .col_expr(topic_need::Column::RemovedAt, state.clock.now().into())
        .filter(topic_need::Column::TopicId.eq(id))
        .filter(topic_need::Column::NeedId.eq(need))
        .filter(topic_need::Column::RemovedAt.is_null())
        .exec(txn)
        .await?;
    if removed.rows_affected == 0 {
        return Err(Code::NotFound.into());
    }
    needs::release(state, txn, actor, id.0, &[need]).await?;
    Ok(row)
}

fn live(id: TopicId) -> sea_orm::Select<topic_need::Entity> {
    topic_need::Entity::find()
        .filter(topic_need::Column::TopicId.eq(id))
        .filter(topic_need::Column::RemovedAt.is_null())
}

/// The needs in a topic, in their order.
pub(super) async fn needs_of(connection: &impl ConnectionTrait, id: TopicId) -> Result<Vec<NeedId>, Problem> {
    let rows = live(id).select_only().column(topic_need::Column::NeedId).order_by_asc(topic_need::Column::NeedId);
    Ok(rows.limit(NEEDS).into_tuple().all(connection).await?)
}

/// The audit of this capability.
pub(super) const RULES: &[(&str, &str)] = &[
    (
        "topic {} has not the path or community of its place",
        "SELECT t.id FROM topics t JOIN places p ON p.id = t.place_id \
         WHERE t.place_path <> p.path OR t.community_id <> p.community_id",
    ),
    (
        "need {} is in a topic of another community, or in an open one and does not say so",
        "SELECT n.id FROM topic_needs x JOIN topics t ON t.id = x.topic_id JOIN needs n ON n.id = x.need_id \
         WHERE x.removed_at IS NULL AND (n.community_id <> t.community_id OR (t.state <> 'resolved' AND n.state IN ('in_review', 'published', 'merged')))",
    ),
    (
        "topic {} waits for a poll that is closed, or has a result that its poll has not",
        "SELECT t.id FROM topics t JOIN polls p ON p.id = t.poll_id WHERE (t.state = 'voting') = (p.state = 'closed')",
    ),
    (
        "topic {} was decided and the board does not say so",
        "SELECT t.id FROM topics t WHERE t.state = 'resolved' AND NOT EXISTS \
         (SELECT 1 FROM notices n WHERE n.subject_kind = 'topic' AND n.subject_id = t.id AND n.kind = 'topic.resolved')",
    ),
    (
        "deliberation {} earned somebody points whose attendance nobody confirmed",
        "SELECT d.id FROM deliberations d JOIN points_earnings e ON e.source_kind = 'deliberation' AND e.source_id = d.id \
         WHERE NOT EXISTS (SELECT 1 FROM deliberation_attendances a \
         WHERE a.deliberation_id = d.id AND a.user_id = e.user_id AND a.confirmed_at IS NOT NULL)",
    ),
    (
        "comment {} waits for review and nobody is asked to",
        "SELECT c.id FROM topic_comments c WHERE NOT c.published AND NOT c.hidden AND NOT EXISTS \
         (SELECT 1 FROM moderation_items i WHERE i.target_kind = 'topic_comment' AND i.target_id = c.id AND i.state = 'open')",
    ),
];
