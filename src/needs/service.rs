use chrono::TimeDelta;
use entities::ids::{CaseId, FileId, NeedId, PlaceId, UserId};
use entities::needs::{NeedCategory, NeedState, need, need_file, support};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    PaginatorTrait, QueryFilter,
};

use super::{domain, moderated};
use crate::cases::{self, NewCase};
use crate::identity::{Actor, Permission};
use crate::moderation::{self, Submission};
use crate::platform::code::Code;
use crate::platform::http::{Problem, lock_person};
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::platform::wechat::Scene;
use crate::{files, places};

/// Needs that one person may submit in a day.
const NEEDS_A_DAY: u64 = 50;

/// A need to be submitted.
pub(super) struct NewNeed<'a> {
    pub place_id: PlaceId,
    pub category: NeedCategory,
    pub title: &'a str,
    pub body: &'a str,
    pub file_ids: &'a [FileId],
    pub anonymous: bool,
}

/// Stores a need and sends it to content security. Anybody signed in may submit one, at any place of a community.
pub(super) async fn submit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    input: NewNeed<'_>,
) -> Result<need::Model, Problem> {
    let now = state.clock.now();
    let (place, community_id) = places::named_in_community(txn, input.place_id, "/place_id").await?;
    // The lock makes parallel submissions of one person count one after the other.
    lock_person(txn, actor.user_id).await?;
    let today = need::Entity::find()
        .filter(need::Column::AuthorId.eq(actor.user_id))
        .filter(need::Column::CreatedAt.gt(now - TimeDelta::days(1)));
    if today.count(txn).await? >= NEEDS_A_DAY {
        return Err(Problem::new(Code::RateLimited, format!("at most {NEEDS_A_DAY} needs a day")));
    }
    files::attach(txn, actor.user_id, input.file_ids, &place.path, "/file_ids").await?;
    let row = need::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path.clone()),
        author_id: Set(actor.user_id),
        category: Set(input.category),
        title: Set(input.title.to_owned()),
        body: Set(input.body.to_owned()),
        anonymous: Set(input.anonymous),
        state: Set(NeedState::InReview),
        hidden: Set(false),
        support_count: Set(0),
        created_at: Set(now),
        published_at: Set(None),
        project_id: Set(None),
    };
    let row = row.insert(txn).await?;
    if !input.file_ids.is_empty() {
        let pictures = input.file_ids.iter().zip(0..).map(|(file, position)| need_file::ActiveModel {
            need_id: Set(row.id),
            position: Set(position),
            file_id: Set(*file),
        });
        need_file::Entity::insert_many(pictures).exec_without_returning(txn).await?;
    }
    let submission = Submission {
        community_id,
        place_path: &place.path,
        target_kind: moderated::KIND,
        target_id: row.id.0,
        author: actor.user_id,
        title: input.title,
        text: input.body,
        file_ids: input.file_ids,
        scene: Scene::Forum,
    };
    moderation::submit(state, txn, submission).await?;
    Ok(row)
}

/// Opens a case file instead of a need: nothing of it goes to content security, a queue, a list or an index.
pub(super) async fn confide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    input: &NewNeed<'_>,
) -> Result<CaseId, Problem> {
    if !input.file_ids.is_empty() {
        let why = "保密诉求不收图片，可在社工联系时出示 / no pictures: WeChat would look at them";
        return Err(Problem::field("/file_ids", why));
    }
    lock_person(txn, actor.user_id).await?;
    let summary = format!("{}\n{}", input.title, input.body);
    let new = NewCase { place_id: input.place_id, category: input.category, subject: "本人", summary: &summary };
    cases::open(state, txn, actor.user_id, &new).await
}

/// A need, if the caller may know of it: everybody once it is public, its author and moderators always.
pub(super) async fn find(connection: &impl ConnectionTrait, actor: &Actor, id: NeedId) -> Result<need::Model, Problem> {
    let row = need::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    if domain::is_public(row.state, row.hidden)
        || row.author_id == actor.user_id
        || actor.may(Permission::Moderate, &row.place_path)
    {
        Ok(row)
    } else {
        Err(Code::NotFound.into())
    }
}

/// How many support a need.
pub(super) struct Supported {
    pub count: i64,
    pub by_me: bool,
}

/// Supports a need: for verified residents of its community. A second time changes nothing.
pub(super) async fn support(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &need::Model,
) -> Result<Supported, Problem> {
    if row.author_id == actor.user_id {
        return Err(Code::OwnNeed.into());
    }
    require_open(row)?;
    let home = actor.require_verified(txn).await?;
    if home.community_id != row.community_id {
        return Err(Code::NotResidentHere.into());
    }
    let new =
        support::ActiveModel { need_id: Set(row.id), user_id: Set(actor.user_id), created_at: Set(state.clock.now()) };
    let once = OnConflict::columns([support::Column::NeedId, support::Column::UserId]).do_nothing().to_owned();
    let added = support::Entity::insert(new).on_conflict(once).exec_without_returning(txn).await?;
    let count = if added == 1 { count_by(txn, row.id, 1).await? } else { current(txn, row.id).await? };
    Ok(Supported { count, by_me: true })
}

/// Takes a support back. A second time, or without one, changes nothing.
pub(super) async fn step_out(
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: &need::Model,
) -> Result<Supported, Problem> {
    require_open(row)?;
    let removed = support::Entity::delete_by_id((row.id, actor.user_id)).exec(txn).await?.rows_affected;
    let count = if removed == 1 { count_by(txn, row.id, -1).await? } else { current(txn, row.id).await? };
    Ok(Supported { count, by_me: false })
}

fn require_open(row: &need::Model) -> Result<(), Problem> {
    if domain::OPEN.contains(&row.state) && !row.hidden { Ok(()) } else { Err(Code::NeedNotOpen.into()) }
}

/// Moves the count with its row. The condition looks again: the need may have been hidden or moved on meanwhile.
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

async fn current(txn: &DatabaseTransaction, id: NeedId) -> Result<i64, Problem> {
    let row = need::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    Ok(row.support_count)
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
         WHERE f.owner_id <> n.author_id OR f.place_path IS NULL \
         OR f.public <> (NOT n.hidden AND n.state NOT IN ('in_review', 'withdrawn'))",
    ),
];
