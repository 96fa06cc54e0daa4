use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entities::ids::{NoticeId, ObjectionId, UserId};
use entities::notices::{ObjectionState, notice, objection, window};
use entities::organisations::person;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::publishing::{Notice, board_of, publish};
use crate::audit;
use crate::identity::{self, Actor, Permission, Role};
use crate::moderation::{self, Submission};
use crate::notices::domain::{self, Standing};
use crate::notices::moderated;
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::code::Code;
use crate::platform::crypto::hex;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::platform::wechat::Scene;

/// Locks a notice's window and says where the notice stands. `Clear` stays clear: whoever finds the time over closes the window
/// for good, so that nobody objects later, by whatever clock.
///
/// Whoever lets what a notice says take effect asks this in the same transaction.
pub async fn standing(txn: &DatabaseTransaction, notice_id: NoticeId, now: DateTime<Utc>) -> Result<Standing, Problem> {
    let row = lock(txn, notice_id).await?.ok_or(Code::NotFound)?;
    let counts = counts(txn, notice_id).await?;
    let of = |state| counts.get(&state).copied().unwrap_or_default();
    let (waiting, upheld) = (of(ObjectionState::Open), of(ObjectionState::Upheld));
    let closed = row.closed_at.is_some();
    let standing = Standing::of(row.objections_until, closed, waiting, upheld, now);
    if !closed && row.objections_until <= now {
        let mut row = row.into_active_model();
        row.closed_at = Set(Some(now));
        row.update(txn).await?;
    }
    Ok(standing)
}

/// [`standing`] of the notice of a kind about something. What nobody could object to is clear.
pub async fn standing_of(
    txn: &DatabaseTransaction,
    kind: &str,
    subject: (&str, Uuid),
    now: DateTime<Utc>,
) -> Result<Standing, Problem> {
    let Some(id) = of_subject(txn, kind, subject).await? else { return Ok(Standing::Clear) };
    let window = window::Entity::find_by_id(id).one(txn).await?;
    if window.is_some() { standing(txn, id, now).await } else { Ok(Standing::Clear) }
}

/// The notice of a kind about something.
pub async fn of_subject(
    connection: &impl ConnectionTrait,
    kind: &str,
    (subject_kind, subject): (&str, Uuid),
) -> Result<Option<NoticeId>, Problem> {
    let found = notice::Entity::find()
        .filter(notice::Column::SubjectId.eq(subject))
        .filter(notice::Column::SubjectKind.eq(subject_kind))
        .filter(notice::Column::Kind.eq(kind))
        .order_by_desc(notice::Column::Id)
        .one(connection)
        .await?;
    Ok(found.map(|row| row.id))
}

async fn lock(txn: &DatabaseTransaction, notice_id: NoticeId) -> Result<Option<window::Model>, Problem> {
    Ok(window::Entity::find_by_id(notice_id).lock_exclusive().one(txn).await?)
}

/// How many objections to a notice are in which state.
async fn counts(
    connection: &impl ConnectionTrait,
    notice_id: NoticeId,
) -> Result<HashMap<ObjectionState, u64>, Problem> {
    let by_state = objection::Entity::find()
        .select_only()
        .column(objection::Column::State)
        .column_as(objection::Column::Id.count(), "number")
        .filter(objection::Column::NoticeId.eq(notice_id))
        .group_by(objection::Column::State);
    let rows: Vec<(ObjectionState, i64)> = by_state.into_tuple().all(connection).await?;
    Ok(rows.into_iter().map(|(state, number)| (state, u64::try_from(number).unwrap_or_default())).collect())
}

/// A window as everybody sees it.
pub(in crate::notices) struct WindowState {
    pub until: DateTime<Utc>,
    pub standing: Standing,
    pub open: u64,
    pub upheld: u64,
    pub dismissed: u64,
}

/// How a notice's window stands, for showing it: nothing is locked.
pub(in crate::notices) async fn window_state(
    state: &AppState,
    connection: &impl ConnectionTrait,
    notice_id: NoticeId,
) -> Result<Option<WindowState>, Problem> {
    let Some(row) = window::Entity::find_by_id(notice_id).one(connection).await? else { return Ok(None) };
    let counts = counts(connection, notice_id).await?;
    let of = |state| counts.get(&state).copied().unwrap_or_default();
    let (open, upheld) = (of(ObjectionState::Open), of(ObjectionState::Upheld));
    let (until, closed) = (row.objections_until, row.closed_at.is_some());
    let standing = Standing::of(until, closed, open, upheld, state.clock.now());
    Ok(Some(WindowState { until, standing, open, upheld, dismissed: of(ObjectionState::Dismissed) }))
}

/// Objects to a notice: for verified residents of its place and for everybody who belongs to an organisation.
pub(in crate::notices) async fn object(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    notice_id: NoticeId,
    text: &str,
) -> Result<objection::Model, Problem> {
    let (about, place) = board_of(txn, notice_id).await?;
    require_concerned(txn, actor.user_id, &place.path).await?;
    let reply_days = places::rules_at(state, txn, &place).await?.objection_reply_days;
    let row = lock(txn, notice_id).await?.ok_or(Code::ObjectionsClosed)?;
    // One reading under the lock: whoever finds the window over either sees this objection or has closed the window before.
    let now = state.clock.now();
    if row.closed_at.is_some() || row.objections_until <= now {
        return Err(Code::ObjectionsClosed.into());
    }
    let id: ObjectionId = ids::ordered(&state.clock);
    let new = objection::ActiveModel {
        id: Set(id),
        notice_id: Set(notice_id),
        place_path: Set(row.place_path.clone()),
        author_id: Set(actor.user_id),
        text: Set(text.to_owned()),
        published_at: Set(None),
        hidden: Set(false),
        state: Set(ObjectionState::Open),
        created_at: Set(now),
        reply_due: Set(domain::reply_due(now, reply_days)),
        reply: Set(None),
        replied_by: Set(None),
        replied_at: Set(None),
        salt: Set(None),
        reply_notice_id: Set(None),
    };
    let one_open = OnConflict::new().do_nothing().to_owned();
    if objection::Entity::insert(new).on_conflict(one_open).exec_without_returning(txn).await? == 0 {
        return Err(Code::ObjectionOpen.into());
    }
    let submission = Submission {
        community_id: row.place_id,
        place_path: &row.place_path,
        target_kind: moderated::KIND,
        target_id: id.0,
        author: actor.user_id,
        title: "对公示的异议",
        text,
        file_ids: &[],
        scene: Scene::Comment,
    };
    moderation::submit(state, txn, submission).await?;
    let target = (moderated::KIND, id.0);
    let message = Message {
        kind: "notice.objection",
        title: "公示收到异议，待答复".to_owned(),
        // Not a word of the objection: content security has not read it.
        body: about.title,
        target: Some(target),
        dedupe_key: format!("objection:{id}:received"),
        template: Template::Project,
    };
    let staff = nearest_staff(txn, &row.place_path, actor.user_id, now).await?;
    notifications::tell_all(state, txn, &staff, &message).await?;
    let detail = json!({ "notice_id": notice_id });
    audit::record(state, txn, Some(actor.user_id), "notices.objected", target, Some(row.place_id), detail).await?;
    objection::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// The staff whose grant lies nearest to a board's place, but for whoever objects.
async fn nearest_staff(
    txn: &DatabaseTransaction,
    path: &str,
    objector: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<UserId>, Problem> {
    let mut staff = Vec::new();
    for role in [Role::CommunityStaff, Role::StreetStaff, Role::DistrictStaff] {
        staff.extend(identity::holders(txn, role, path, now).await?);
    }
    staff.retain(|held| held.user_id != objector);
    let nearest = staff.iter().map(|held| held.path.len()).max();
    let nearest = staff.iter().filter(|held| Some(held.path.len()) == nearest).map(|held| held.user_id);
    // In one order, so that two who tell the same people wait for each other instead of both.
    Ok(nearest.collect::<BTreeSet<_>>().into_iter().collect())
}

/// 403 unless the person is verified to live there or belongs to an organisation.
async fn require_concerned(txn: &DatabaseTransaction, user: UserId, path: &str) -> Result<(), Problem> {
    let home = identity::residence(txn, user).await?;
    if home.as_ref().is_some_and(|home| places::is_within(&home.place_path, path)) {
        return Ok(());
    }
    let live = person::Entity::find()
        .filter(person::Column::UserId.eq(user))
        .filter(person::Column::EndedAt.is_null())
        .limit(1);
    match (live.count(txn).await?, home) {
        (1.., _) => Ok(()),
        (0, Some(_)) => Err(Code::NotResidentHere.into()),
        (0, None) => Err(Code::NotVerified.into()),
    }
}

/// Whether somebody answers objections at a place, and reads those that others do not see.
pub(in crate::notices) fn may_answer(actor: &Actor, path: &str) -> bool {
    actor.may(Permission::ManageProjects, path) || actor.may(Permission::Moderate, path)
}

/// An objection that the caller may know of: one whose text is public, one's own, or any for who answers.
async fn find(connection: &impl ConnectionTrait, actor: &Actor, id: ObjectionId) -> Result<objection::Model, Problem> {
    let row = objection::Entity::find_by_id(id).one(connection).await?;
    row.filter(|row| moderated::is_public(row) || row.author_id == actor.user_id || may_answer(actor, &row.place_path))
        .ok_or_else(|| Code::NotFound.into())
}

/// Answers an objection, once. The answer is public; its notice holds neither text, only a commitment to them.
pub(in crate::notices) async fn reply(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ObjectionId,
    outcome: ObjectionState,
    reply: &str,
) -> Result<objection::Model, Problem> {
    let row = find(txn, actor, id).await?;
    if !may_answer(actor, &row.place_path) {
        return Err(Code::Forbidden.into());
    }
    if row.author_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    lock(txn, row.notice_id).await?.ok_or(Code::Internal)?;
    // Read again under the lock.
    let row = objection::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    if row.state != ObjectionState::Open {
        return Err(Code::AlreadyDecided.into());
    }
    let salt = hex(&ids::random_bytes::<32>());
    let document = domain::objection_document(id, &row.text, outcome, reply);
    let about = notice::Entity::find_by_id(row.notice_id).one(txn).await?.ok_or(Code::Internal)?;
    let notice_id = publish(state, txn, answer(&about, id, outcome, domain::commitment(&salt, &document))).await?;
    let author = row.author_id;
    let mut row = row.into_active_model();
    row.state = Set(outcome);
    row.reply = Set(Some(reply.to_owned()));
    row.replied_by = Set(Some(actor.user_id));
    row.replied_at = Set(Some(state.clock.now()));
    row.salt = Set(Some(salt));
    row.reply_notice_id = Set(Some(notice_id));
    let row = row.update(txn).await?;
    let target = (moderated::KIND, id.0);
    let detail = json!({ "notice_id": about.id, "outcome": outcome });
    let place = Some(about.community_id);
    audit::record(state, txn, Some(actor.user_id), "notices.objection_answered", target, place, detail).await?;
    let message = Message {
        kind: "notice.objection_answered",
        title: format!("您的异议已答复：{}", outcome_text(outcome)),
        body: format!("{}：{reply}", about.title),
        target: Some(target),
        dedupe_key: format!("objection:{id}:answered"),
        template: Template::Project,
    };
    notifications::tell(state, txn, author, &message).await?;
    Ok(row)
}

fn outcome_text(outcome: ObjectionState) -> &'static str {
    match outcome {
        ObjectionState::Open => "待答复",
        ObjectionState::Upheld => "异议成立",
        ObjectionState::Dismissed => "异议不成立",
    }
}

/// The notice of a reply.
fn answer(about: &notice::Model, id: ObjectionId, outcome: ObjectionState, commitment: String) -> Notice<'static> {
    Notice {
        community_id: about.community_id,
        kind: "notice.objection_answered",
        title: format!("关于“{}”的异议答复", about.title),
        body: format!(
            "对第{}号公示“{}”提出的一份异议，经核查：{}。异议和答复的全文见该公示的异议列表。",
            about.seq,
            about.title,
            outcome_text(outcome)
        ),
        subject: Some((moderated::KIND, id.0)),
        commitment: Some(commitment),
        ..Notice::default()
    }
}
