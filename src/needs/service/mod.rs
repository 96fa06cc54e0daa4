pub(super) mod answers;
pub(super) mod gathering;
pub(super) mod merging;
pub(super) mod similar;
pub(super) mod submitting;
pub(super) mod telling;
pub(super) mod timeline;

use entities::ids::{NeedEventId, NeedId, UserId};
use entities::needs::{NeedEventKind, event, need, support};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QuerySelect,
};
use uuid::Uuid;

use super::domain;
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A need, if the caller may know of it: everybody once it is public; its author, whoever recorded it and moderators always.
pub(super) async fn find(connection: &impl ConnectionTrait, actor: &Actor, id: NeedId) -> Result<need::Model, Problem> {
    visible(actor, need::Entity::find_by_id(id).one(connection).await?)
}

/// [`find`] with the need's row locked, for whoever is about to change it or what it counts.
pub(super) async fn locked(txn: &DatabaseTransaction, actor: &Actor, id: NeedId) -> Result<need::Model, Problem> {
    visible(actor, need::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?)
}

/// [`locked`] for staff of its place; 403 for others who see it.
pub(super) async fn staffed(txn: &DatabaseTransaction, actor: &Actor, id: NeedId) -> Result<need::Model, Problem> {
    let row = locked(txn, actor, id).await?;
    actor.require(Permission::Moderate, &row.place_path)?;
    Ok(row)
}

fn visible(actor: &Actor, row: Option<need::Model>) -> Result<need::Model, Problem> {
    let row = row.ok_or(Code::NotFound)?;
    if domain::is_public(row.state, row.hidden)
        || is_of(&row, actor.user_id)
        || actor.may(Permission::Moderate, &row.place_path)
    {
        Ok(row)
    } else {
        Err(Code::NotFound.into())
    }
}

/// Whether somebody wrote a need, or recorded it for somebody else.
pub(super) fn is_of(row: &need::Model, person: UserId) -> bool {
    row.author_id == Some(person) || row.recorder_id == Some(person)
}

/// Everybody a need is of.
pub(super) fn people_of(row: &need::Model) -> Vec<UserId> {
    row.author_id.into_iter().chain(row.recorder_id).collect()
}

/// How many support a need.
pub(super) struct Supported {
    pub count: i64,
    pub by_me: bool,
}

/// Supports a need: for verified residents of its community. A second time changes nothing, but makes a support that a merge
/// carried over one's own.
pub(super) async fn support(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: NeedId,
) -> Result<Supported, Problem> {
    // The need before its supports, as merging does it: else each would wait for the other.
    let row = locked(txn, actor, id).await?;
    if row.author_id == Some(actor.user_id) {
        return Err(Code::OwnNeed.into());
    }
    require_open(&row)?;
    let home = actor.require_verified(txn).await?;
    if home.community_id != row.community_id {
        return Err(Code::NotResidentHere.into());
    }
    let new = support::ActiveModel {
        need_id: Set(row.id),
        user_id: Set(actor.user_id),
        created_at: Set(state.clock.now()),
        merge_id: Set(None),
    };
    let once = OnConflict::columns([support::Column::NeedId, support::Column::UserId]).do_nothing().to_owned();
    let added = support::Entity::insert(new).on_conflict(once).exec_without_returning(txn).await?;
    if added == 1 {
        return Ok(Supported { count: count_by(txn, row.id, 1).await?, by_me: true });
    }
    support::Entity::update_many()
        .col_expr(support::Column::MergeId, Expr::value(None::<Uuid>))
        .filter(support::Column::NeedId.eq(row.id))
        .filter(support::Column::UserId.eq(actor.user_id))
        .filter(support::Column::MergeId.is_not_null())
        .exec(txn)
        .await?;
    Ok(Supported { count: row.support_count, by_me: true })
}

/// Takes a support back. A second time, or without one, changes nothing.
pub(super) async fn step_out(txn: &DatabaseTransaction, actor: &Actor, id: NeedId) -> Result<Supported, Problem> {
    let row = locked(txn, actor, id).await?;
    require_open(&row)?;
    let removed = support::Entity::delete_by_id((row.id, actor.user_id)).exec(txn).await?.rows_affected;
    let count = if removed == 1 { count_by(txn, row.id, -1).await? } else { row.support_count };
    Ok(Supported { count, by_me: false })
}

fn require_open(row: &need::Model) -> Result<(), Problem> {
    if domain::OPEN.contains(&row.state) && !row.hidden { Ok(()) } else { Err(Code::NeedNotOpen.into()) }
}

/// Moves the count with its rows. The condition looks again: the need may have been hidden or moved on meanwhile.
async fn count_by(txn: &DatabaseTransaction, id: NeedId, by: i64) -> Result<i64, Problem> {
    let counted = need::Entity::update_many()
        .col_expr(need::Column::SupportCount, Expr::col(need::Column::SupportCount).add(by))
        .filter(need::Column::Id.eq(id))
        .filter(need::Column::State.is_in(domain::OPEN))
        .filter(need::Column::Hidden.eq(false))
        .exec_with_returning(txn)
        .await?;
    counted.first().map(|row| row.support_count).ok_or_else(|| Code::NeedNotOpen.into())
}

/// Which of these needs somebody supports.
pub(super) async fn supported_by(
    connection: &impl ConnectionTrait,
    person: UserId,
    needs: &[NeedId],
) -> Result<Vec<NeedId>, Problem> {
    let rows = support::Entity::find()
        .filter(support::Column::UserId.eq(person))
        .filter(support::Column::NeedId.is_in(needs.iter().copied()))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.need_id).collect())
}

/// Adds to what happened to some needs; the text is public.
pub(super) async fn note(
    state: &AppState,
    txn: &DatabaseTransaction,
    needs: impl IntoIterator<Item = NeedId>,
    kind: NeedEventKind,
    (text, related_id): (Option<&str>, Option<Uuid>),
    actor_id: Option<UserId>,
) -> Result<(), Problem> {
    let rows: Vec<_> = needs
        .into_iter()
        .map(|need_id| event::ActiveModel {
            id: Set(ids::ordered::<NeedEventId>(&state.clock)),
            need_id: Set(need_id),
            kind: Set(kind),
            text: Set(text.map(str::to_owned)),
            related_id: Set(related_id),
            actor_id: Set(actor_id),
            at: Set(state.clock.now()),
        })
        .collect();
    if !rows.is_empty() {
        event::Entity::insert_many(rows).exec_without_returning(txn).await?;
    }
    Ok(())
}

/// The audit of this capability.
pub(super) const RULES: &[(&str, &str)] = &[
    (
        "need {} counts its supporters wrong",
        "SELECT n.id FROM needs n \
         WHERE n.support_count <> (SELECT COUNT(*) FROM need_supports s WHERE s.need_id = n.id)",
    ),
    (
        "need {} is supported by its author",
        "SELECT n.id FROM needs n JOIN need_supports s ON s.need_id = n.id AND s.user_id = n.author_id",
    ),
    (
        "need {} has a project and does not say so",
        "SELECT n.id FROM needs n JOIN projects p ON p.id = n.project_id \
         WHERE n.state NOT IN ('in_project', 'resolved') OR p.community_id <> n.community_id",
    ),
    (
        "need {} waits for review and nobody is asked to",
        "SELECT n.id FROM needs n WHERE n.state = 'in_review' AND NOT n.hidden AND NOT EXISTS \
         (SELECT 1 FROM moderation_items i WHERE i.target_kind = 'need' AND i.target_id = n.id AND i.state = 'open')",
    ),
    (
        "need {} shows its pictures otherwise than itself, or somebody else's",
        "SELECT n.id FROM needs n JOIN need_files p ON p.need_id = n.id JOIN files f ON f.id = p.file_id \
         WHERE f.owner_id <> COALESCE(n.recorder_id, n.author_id) OR f.place_path IS NULL \
         OR f.public <> (NOT n.hidden AND n.state NOT IN ('in_review', 'withdrawn'))",
    ),
    (
        "need {} has a voice that is none, or that was said in confidence",
        "SELECT p.need_id AS id FROM need_files p JOIN files f ON f.id = p.file_id \
         WHERE p.voice <> (f.duration_ms IS NOT NULL) OR f.confidential",
    ),
    (
        "need {} is merged and no merge says so, or the other way round",
        "SELECT n.id FROM needs n LEFT JOIN need_merges m ON m.source_id = n.id AND m.undone_at IS NULL \
         WHERE (n.state = 'merged') <> (m.id IS NOT NULL) OR m.target_id <> n.merged_into",
    ),
    (
        "need {} has supports of a merge that was undone or went elsewhere",
        "SELECT s.need_id AS id FROM need_supports s JOIN need_merges m ON m.id = s.merge_id \
         WHERE m.undone_at IS NOT NULL OR m.target_id <> s.need_id",
    ),
    (
        "need {} is found among similar ones and is not open to support",
        "SELECT n.id FROM needs n JOIN need_terms t ON t.need_id = n.id \
         WHERE n.hidden OR n.state NOT IN ('published', 'in_topic', 'in_project') OR t.community_id <> n.community_id",
    ),
    (
        "need {} says that it is found among similar ones and is not, or the other way round",
        "SELECT n.id FROM needs n JOIN need_terms t ON t.need_id = n.id WHERE n.indexed_at IS NULL",
    ),
];
