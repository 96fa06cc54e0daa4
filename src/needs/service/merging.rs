//! One need goes into another, and comes out again as it was.
//!
//! Supports of the source stay where they are, closed with it. The target gets a copy of each that it has not yet, marked with
//! the merge; undoing the merge takes exactly the marked ones away. Whoever stepped out meanwhile took their copy themself;
//! whoever supported the target by their own act afterwards has an unmarked one, which stays.

use entities::ids::{NeedId, NeedMergeId, UserId};
use entities::needs::{NeedEventKind, NeedState, merge, need, support};
use sea_orm::sea_query::{Expr, LockType, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use super::telling::{self, Word};
use super::{count_by, note, people_of, similar};
use crate::audit;
use crate::identity::{self, Actor, Permission};
use crate::needs::{domain, moderated};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Two needs, locked in the order of their ids, for staff of the source's place.
async fn both(
    txn: &DatabaseTransaction,
    actor: &Actor,
    source: NeedId,
    target: NeedId,
) -> Result<(need::Model, need::Model), Problem> {
    let rows = need::Entity::find()
        .filter(need::Column::Id.is_in([source, target]))
        .order_by_asc(need::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(txn)
        .await?;
    let find = |id: NeedId| rows.iter().find(|row| row.id == id).cloned();
    let source = super::visible(actor, find(source))?;
    actor.require(Permission::Moderate, &source.place_path)?;
    let target = find(target)
        .filter(|row| row.id != source.id && row.community_id == source.community_id)
        .filter(|row| actor.may(Permission::Moderate, &row.place_path))
        .ok_or_else(|| Problem::field("/into", "须为同一社区的另一条需求 / another need of the same community"))?;
    Ok((source, target))
}

/// Puts a published need into another one that is open to support; all who supported it support the other from now on.
pub(crate) async fn merge(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    (source, target): (NeedId, NeedId),
    reason: &str,
) -> Result<(merge::Model, i64), Problem> {
    let (source, target) = both(txn, actor, source, target).await?;
    let now = state.clock.now();
    let moved = need::Entity::update_many()
        .col_expr(need::Column::State, NeedState::Merged.into())
        .col_expr(need::Column::MergedInto, target.id.into())
        .filter(need::Column::Id.eq(source.id))
        .filter(need::Column::State.is_in(domain::UNTAKEN))
        .filter(need::Column::Hidden.eq(false))
        .exec_with_returning(txn)
        .await?;
    let source = moved.into_iter().next().ok_or(Code::NeedTaken)?;
    let row = merge::ActiveModel {
        id: Set(ids::ordered::<NeedMergeId>(&state.clock)),
        source_id: Set(source.id),
        target_id: Set(target.id),
        reason: Set(reason.to_owned()),
        merged_by: Set(actor.user_id),
        merged_at: Set(now),
        undone_by: Set(None),
        undone_at: Set(None),
    };
    let row = row.insert(txn).await?;
    let carried = carry(state, txn, &source, &target, row.id).await?;
    let count = count_by(txn, target.id, carried).await?;
    similar::refresh(state, txn, &source).await?;
    let by = Some(actor.user_id);
    note(state, txn, [source.id], NeedEventKind::Merged, (Some(reason), Some(target.id.0)), by).await?;
    note(state, txn, [target.id], NeedEventKind::TookIn, (None, Some(source.id.0)), by).await?;
    let detail = json!({ "into": target.id, "carried": carried });
    let place = Some(source.place_id);
    audit::record(state, txn, by, "need.merge", (moderated::KIND, source.id.0), place, detail).await?;
    let word = Word {
        of: source.id,
        kind: "need.merged".to_owned(),
        title: "您关注的需求已合并".to_owned(),
        body: format!("“{}”并入“{}”，您的附议随之转入；不同意的可以退出附议", source.title, target.title),
        about: target.id,
        dedupe_key: format!("need.merged:{}", row.id),
        after: None,
    };
    telling::tell(state, txn, &people_of(&source), word).await?;
    Ok((row, count))
}

/// Copies the source's supports, and makes its author a supporter. Not: the target's own author, and an author who could not
/// support it, for want of a verified home in the community.
async fn carry(
    state: &AppState,
    txn: &DatabaseTransaction,
    source: &need::Model,
    target: &need::Model,
    merge_id: NeedMergeId,
) -> Result<i64, Problem> {
    let internal = |error: sea_orm::sea_query::error::Error| Problem::from(Code::Internal).caused_by(error);
    let columns =
        [support::Column::NeedId, support::Column::UserId, support::Column::CreatedAt, support::Column::MergeId];
    let once = OnConflict::columns([support::Column::NeedId, support::Column::UserId]).do_nothing().to_owned();
    let mut from = Query::select();
    from.expr(Expr::value(target.id))
        .column(support::Column::UserId)
        .column(support::Column::CreatedAt)
        .expr(Expr::value(merge_id))
        .from(support::Entity)
        .and_where(support::Column::NeedId.eq(source.id));
    if let Some(author) = target.author_id {
        from.and_where(support::Column::UserId.ne(author));
    }
    let mut copy = Query::insert();
    copy.into_table(support::Entity).columns(columns).on_conflict(once.clone());
    copy.select_from(from).map_err(internal)?;
    let mut carried = txn.execute(&copy).await?.rows_affected();
    if let Some(author) = source.author_id.filter(|author| Some(*author) != target.author_id)
        && identity::residence(txn, author).await?.is_some_and(|home| home.community_id == target.community_id)
    {
        let own = support::ActiveModel {
            need_id: Set(target.id),
            user_id: Set(author),
            created_at: Set(state.clock.now()),
            merge_id: Set(Some(merge_id)),
        };
        carried += support::Entity::insert(own).on_conflict(once).exec_without_returning(txn).await?;
    }
    Ok(i64::try_from(carried).unwrap_or(i64::MAX))
}

/// Takes a merge back: the source is published again with its supporters, and the target keeps those who came to it by
/// themselves. Only while the target is open to support; if it went into another one, that merge is undone first.
pub(in crate::needs) async fn undo(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    source: NeedId,
    reason: &str,
) -> Result<(need::Model, i64), Problem> {
    // Where it went is read without a lock: only undoing changes it, and the statement below looks again.
    let seen = super::find(txn, actor, source).await?;
    let target = seen.merged_into.ok_or(Code::AlreadyDecided)?;
    let (source, target) = both(txn, actor, source, target).await?;
    let undone = merge::Entity::update_many()
        .col_expr(merge::Column::UndoneBy, actor.user_id.into())
        .col_expr(merge::Column::UndoneAt, state.clock.now().into())
        .filter(merge::Column::SourceId.eq(source.id))
        .filter(merge::Column::TargetId.eq(target.id))
        .filter(merge::Column::UndoneAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let merge = undone.into_iter().next().ok_or(Code::AlreadyDecided)?;
    let taken = support::Entity::delete_many().filter(support::Column::MergeId.eq(merge.id)).exec(txn).await?;
    let count = count_by(txn, target.id, -i64::try_from(taken.rows_affected).unwrap_or_default()).await?;
    let back = need::Entity::update_many()
        .col_expr(need::Column::State, NeedState::Published.into())
        .col_expr(need::Column::MergedInto, Expr::value(None::<uuid::Uuid>))
        .filter(need::Column::Id.eq(source.id))
        .filter(need::Column::State.eq(NeedState::Merged))
        .exec_with_returning(txn)
        .await?;
    let source = back.into_iter().next().ok_or(Code::AlreadyDecided)?;
    similar::refresh(state, txn, &source).await?;
    let by: Option<UserId> = Some(actor.user_id);
    note(state, txn, [source.id], NeedEventKind::Unmerged, (Some(reason), Some(target.id.0)), by).await?;
    note(state, txn, [target.id], NeedEventKind::GaveBack, (None, Some(source.id.0)), by).await?;
    let detail = json!({ "from": target.id, "taken": taken.rows_affected });
    let place = Some(source.place_id);
    audit::record(state, txn, by, "need.unmerge", (moderated::KIND, source.id.0), place, detail).await?;
    let word = Word {
        of: source.id,
        kind: "need.unmerged".to_owned(),
        title: "需求合并已撤销".to_owned(),
        body: format!("“{}”恢复为单独的需求，您对它的附议照旧", source.title),
        about: source.id,
        dedupe_key: format!("need.unmerged:{}", merge.id),
        after: None,
    };
    telling::tell(state, txn, &people_of(&source), word).await?;
    Ok((source, count))
}
