use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{DeliberationId, TopicId, UserId};
use entities::topics::{SignedBy, attendance, deliberation};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction,
    EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::{find, open_for_staff};
use crate::identity::{self, Actor, Permission};
use crate::notices::{self, Notice};
use crate::platform::capability::{Confirmed, Evidence, Explained, Explanation};
use crate::platform::check_in;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::points::{self, Earn, Quantity, RuleKey};
use crate::topics::{DELIBERATION, domain};
use crate::{audit, places};

/// People at one deliberation.
const PRESENT: u64 = 500;
/// Deliberations of one topic.
const MEETINGS: u64 = 50;

/// A meeting to be held.
pub(in crate::topics) struct NewDeliberation<'a> {
    pub venue: &'a str,
    pub agenda: &'a str,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub leader_id: Option<UserId>,
}

/// Calls a meeting over an open topic.
pub(in crate::topics) async fn call(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    topic_id: TopicId,
    new: NewDeliberation<'_>,
) -> Result<deliberation::Model, Problem> {
    let topic = open_for_staff(txn, actor, topic_id).await?;
    let now = state.clock.now();
    if new.starts_at < now {
        return Err(Problem::field("/starts_at", "须在将来 / must be in the future"));
    }
    if new.ends_at <= new.starts_at || new.ends_at - new.starts_at > domain::LONGEST {
        return Err(Problem::field(
            "/ends_at",
            "须晚于开始，且不超过 12 小时 / after the start, at most 12 hours later",
        ));
    }
    let leader_id = new.leader_id.unwrap_or(actor.user_id);
    if user::Entity::find_by_id(leader_id).one(txn).await?.is_none() {
        return Err(Problem::field("/leader_id", "没有这个人 / no such person"));
    }
    let held = deliberation::Entity::find().filter(deliberation::Column::TopicId.eq(topic_id)).count(txn).await?;
    if held >= MEETINGS {
        return Err(Problem::new(Code::RateLimited, format!("at most {MEETINGS} deliberations of a topic")));
    }
    let row = deliberation::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        topic_id: Set(topic_id),
        community_id: Set(topic.community_id),
        place_path: Set(topic.place_path),
        venue: Set(new.venue.to_owned()),
        agenda: Set(new.agenda.to_owned()),
        starts_at: Set(new.starts_at),
        ends_at: Set(new.ends_at),
        leader_id: Set(leader_id),
        created_by: Set(actor.user_id),
        created_at: Set(now),
        ..Default::default()
    };
    let row = row.insert(txn).await?;
    record(state, txn, actor, "deliberation.call", &row).await?;
    Ok(row)
}

async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &deliberation::Model,
) -> Result<(), Problem> {
    let target = (DELIBERATION, row.id.0);
    audit::record(state, txn, Some(actor.user_id), action, target, Some(row.community_id), json!({})).await
}

/// A meeting by its id, or 404.
pub(in crate::topics) async fn held(
    connection: &impl ConnectionTrait,
    id: DeliberationId,
) -> Result<deliberation::Model, Problem> {
    deliberation::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// Whether somebody leads a meeting or is staff of its place.
pub(in crate::topics) fn in_charge(actor: &Actor, row: &deliberation::Model) -> bool {
    row.leader_id == actor.user_id || actor.may(Permission::Moderate, &row.place_path)
}

/// Whether somebody may read minutes before they are confirmed, and confirm them: also residents' representatives.
pub(in crate::topics) fn may_confirm(actor: &Actor, row: &deliberation::Model) -> bool {
    in_charge(actor, row) || actor.may(Permission::Represent, &row.place_path)
}

/// The meeting, locked, for its leader or staff; not one that was called off.
async fn led(txn: &DatabaseTransaction, actor: &Actor, id: DeliberationId) -> Result<deliberation::Model, Problem> {
    let row = deliberation::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    if !in_charge(actor, &row) {
        return Err(Code::Forbidden.into());
    }
    on(row)
}

fn on(row: deliberation::Model) -> Result<deliberation::Model, Problem> {
    if row.called_off_at.is_some() { Err(Code::DeliberationCalledOff.into()) } else { Ok(row) }
}

/// Calls a meeting off before it has begun.
pub(in crate::topics) async fn call_off(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: DeliberationId,
    reason: &str,
) -> Result<deliberation::Model, Problem> {
    let row = led(txn, actor, id).await?;
    if row.starts_at <= state.clock.now() {
        return Err(Code::SessionStarted.into());
    }
    let off = deliberation::Entity::update_many()
        .col_expr(deliberation::Column::CalledOffAt, state.clock.now().into())
        .col_expr(deliberation::Column::CallOffReason, reason.into())
        .filter(deliberation::Column::Id.eq(id))
        .filter(deliberation::Column::CalledOffAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let row = off.into_iter().next().ok_or(Code::DeliberationCalledOff)?;
    record(state, txn, actor, "deliberation.call_off", &row).await?;
    Ok(row)
}

/// The caller is there, holding the code on the leader's screen. Repeated, it answers the same.
pub(in crate::topics) async fn sign_in(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: DeliberationId,
    code: &str,
) -> Result<attendance::Model, Problem> {
    let row = on(held(txn, id).await?)?;
    actor.require_resident(txn, &row.place_path).await?;
    if !check_in::is_good(state, id.0, code) {
        return Err(Code::CheckInCodeInvalid.into());
    }
    let early = places::rules(state, txn, row.community_id).await?.check_in_early_minutes;
    if !domain::code_open(row.starts_at, row.ends_at, early, state.clock.now()) {
        return Err(Code::CheckInWindow.into());
    }
    write(state, txn, id, actor.user_id, None).await
}

/// The leader or staff say that a resident is there; not of themselves.
pub(in crate::topics) async fn mark(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: DeliberationId,
    person: UserId,
) -> Result<attendance::Model, Problem> {
    let row = led(txn, actor, id).await?;
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let home = identity::residence(txn, person).await?;
    if home.is_none_or(|home| !places::is_within(&home.place_path, &row.place_path)) {
        let why = "须为该地已认证居民 / must be a verified resident of the place";
        return Err(Problem::field("/user_id", why));
    }
    let early = places::rules(state, txn, row.community_id).await?.check_in_early_minutes;
    if !domain::list_open(row.starts_at, row.ends_at, early, state.clock.now()) {
        return Err(Code::CheckInWindow.into());
    }
    let present = attendance::Entity::find().filter(attendance::Column::DeliberationId.eq(id)).count(txn).await?;
    if present >= PRESENT {
        return Err(Problem::new(Code::RateLimited, format!("at most {PRESENT} people")));
    }
    write(state, txn, id, person, Some(actor.user_id)).await
}

async fn write(
    state: &AppState,
    txn: &DatabaseTransaction,
    id: DeliberationId,
    person: UserId,
    by: Option<UserId>,
) -> Result<attendance::Model, Problem> {
    let row = attendance::ActiveModel {
        deliberation_id: Set(id),
        user_id: Set(person),
        method: Set(if by.is_some() { SignedBy::Mark } else { SignedBy::Code }),
        marked_by: Set(by),
        at: Set(state.clock.now()),
        confirmed_by: Set(None),
        confirmed_at: Set(None),
    };
    let once =
        OnConflict::columns([attendance::Column::DeliberationId, attendance::Column::UserId]).do_nothing().to_owned();
    attendance::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await?;
    attendance::Entity::find_by_id((id, person)).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Confirms who was there, but for oneself, and rewards each by the community's rule. How many were confirmed now.
pub(in crate::topics) async fn confirm_attendance(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: DeliberationId,
) -> Result<usize, Problem> {
    let row = led(txn, actor, id).await?;
    let now = state.clock.now();
    if now < row.starts_at {
        return Err(Code::CheckInWindow.into());
    }
    let mut confirmed = attendance::Entity::update_many()
        .col_expr(attendance::Column::ConfirmedBy, actor.user_id.into())
        .col_expr(attendance::Column::ConfirmedAt, now.into())
        .filter(attendance::Column::DeliberationId.eq(id))
        .filter(attendance::Column::ConfirmedAt.is_null())
        .filter(attendance::Column::UserId.ne(actor.user_id))
        .exec_with_returning(txn)
        .await?;
    // Who rewards several people goes through them in the order of their ids.
    confirmed.sort_by_key(|row| row.user_id);
    let topic = find(txn, row.topic_id).await?;
    for one in &confirmed {
        let earn = Earn {
            rule: RuleKey::Deliberation,
            community_id: row.community_id,
            person: one.user_id,
            source: (DELIBERATION, id.0),
            quantity: Quantity::Once,
            at: row.starts_at,
            reason: format!("参加议事：{}", topic.title),
            actor: Some(actor.user_id),
        };
        points::earn(state, txn, &earn).await?;
    }
    record(state, txn, actor, "deliberation.confirm_attendance", &row).await?;
    Ok(confirmed.len())
}

/// Writes the minutes, again as long as nobody has confirmed them.
pub(in crate::topics) async fn write_minutes(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: DeliberationId,
    text: &str,
) -> Result<deliberation::Model, Problem> {
    let row = led(txn, actor, id).await?;
    let now = state.clock.now();
    if now < row.starts_at {
        return Err(Code::CheckInWindow.into());
    }
    let written = deliberation::Entity::update_many()
        .col_expr(deliberation::Column::Minutes, text.into())
        .col_expr(deliberation::Column::MinutesBy, actor.user_id.into())
        .col_expr(deliberation::Column::MinutesAt, now.into())
        .filter(deliberation::Column::Id.eq(id))
        .filter(deliberation::Column::ConfirmedAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let row = written.into_iter().next().ok_or(Code::AlreadyDecided)?;
    record(state, txn, actor, "deliberation.minutes", &row).await?;
    Ok(row)
}

/// Confirms minutes that somebody else wrote, as they were read: everybody reads them from now on, and the board says so.
pub(in crate::topics) async fn confirm_minutes(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: DeliberationId,
    minutes_at: DateTime<Utc>,
) -> Result<deliberation::Model, Problem> {
    let row = deliberation::Entity::find_by_id(id).lock_exclusive().one(txn).await?.ok_or(Code::NotFound)?;
    if !may_confirm(actor, &row) {
        return Err(Code::Forbidden.into());
    }
    if row.minutes_by == Some(actor.user_id) {
        return Err(Code::OwnAct.into());
    }
    // Under the lock: what is confirmed is what was read.
    if row.minutes_at != Some(minutes_at) {
        return Err(Problem::field("/minutes_at", "纪要已修改，请重新阅读 / the minutes are not those that you read"));
    }
    let confirmed = deliberation::Entity::update_many()
        .col_expr(deliberation::Column::ConfirmedBy, actor.user_id.into())
        .col_expr(deliberation::Column::ConfirmedAt, state.clock.now().into())
        .filter(deliberation::Column::Id.eq(id))
        .filter(deliberation::Column::ConfirmedAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let row = confirmed.into_iter().next().ok_or(Code::AlreadyDecided)?;
    record(state, txn, actor, "deliberation.confirm_minutes", &row).await?;
    let present = attendance::Entity::find().filter(attendance::Column::DeliberationId.eq(id)).count(txn).await?;
    let topic = find(txn, row.topic_id).await?;
    let notice = Notice {
        community_id: row.community_id,
        kind: "deliberation.minutes",
        title: format!("议事纪要：{}", topic.title),
        body: format!("到会 {present} 人。纪要已由另一人核对，可在议题下阅读。"),
        subject: Some((DELIBERATION, id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(row)
}

/// How many were there, by meeting.
pub(in crate::topics) async fn present(
    connection: &impl ConnectionTrait,
    meetings: &[DeliberationId],
) -> Result<Vec<(DeliberationId, i64)>, Problem> {
    let counts = attendance::Entity::find()
        .select_only()
        .column(attendance::Column::DeliberationId)
        .column_as(attendance::Column::UserId.count(), "n")
        .filter(attendance::Column::DeliberationId.is_in(meetings.iter().copied()))
        .group_by(attendance::Column::DeliberationId);
    Ok(counts.into_tuple().all(connection).await?)
}

/// A topic's meetings, oldest first.
pub(in crate::topics) async fn of_topic(
    connection: &impl ConnectionTrait,
    topic: TopicId,
) -> Result<Vec<deliberation::Model>, Problem> {
    let rows = deliberation::Entity::find()
        .filter(deliberation::Column::TopicId.eq(topic))
        .order_by_asc(deliberation::Column::Id)
        .limit(MEETINGS);
    Ok(rows.all(connection).await?)
}

/// Who was there, for whoever is in charge; at most so many as can be.
pub(in crate::topics) async fn attendances(
    connection: &impl ConnectionTrait,
    id: DeliberationId,
) -> Result<Vec<(attendance::Model, Option<user::Model>)>, Problem> {
    let rows = attendance::Entity::find()
        .filter(attendance::Column::DeliberationId.eq(id))
        .order_by_asc(attendance::Column::UserId)
        .limit(PRESENT * 2)
        .all(connection)
        .await?;
    let people = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)));
    let people = people.all(connection).await?;
    let named = rows.into_iter().map(|row| {
        let person = people.iter().find(|person| person.id == row.user_id).cloned();
        (row, person)
    });
    Ok(named.collect())
}

pub(in crate::topics) struct Deliberations;

#[async_trait(?Send)]
impl Explained for Deliberations {
    async fn explain(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Explanation>, Problem> {
        let Some(row) = deliberation::Entity::find_by_id(DeliberationId(id)).one(connection).await? else {
            return Ok(None);
        };
        let topic = find(connection, row.topic_id).await?;
        Ok(Some(Explanation {
            what: format!("参加议事：{}", topic.title),
            evidence: vec![Evidence { what: "议事开始", method: "schedule".to_owned(), at: row.starts_at }],
            minutes: None,
            confirmed: row
                .confirmed_by
                .zip(row.confirmed_at)
                .map(|(by, at)| Confirmed { by, role: "纪要核对人", at })
                .into_iter()
                .collect(),
        }))
    }
}
