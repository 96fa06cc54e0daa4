//! One's own shifts as a calendar feed that a phone's calendar reads by a secret link.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use entities::ids::{ActivityId, ShiftId, UserId};
use entities::volunteering::{activity, calendar_feed, shift, signup};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::crypto::Purpose;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;

/// Shifts that ended longer ago are left out, and sign-ups beyond so many, the oldest first.
const PAST: TimeDelta = TimeDelta::days(30);
const MOST: u64 = 500;
/// Bytes of the signature in a link.
const SIGNED: usize = 16;

/// Makes the caller's feed, or a new link to it that ends the old one.
pub(in crate::volunteering) async fn make(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
) -> Result<calendar_feed::Model, Problem> {
    let row = calendar_feed::ActiveModel {
        user_id: Set(actor.user_id),
        id: Set(ids::unordered()),
        created_at: Set(state.clock.now()),
    };
    let known = OnConflict::column(calendar_feed::Column::UserId)
        .update_columns([calendar_feed::Column::Id, calendar_feed::Column::CreatedAt])
        .to_owned();
    calendar_feed::Entity::insert(row).on_conflict(known).exec_without_returning(txn).await?;
    current(txn, actor.user_id).await?.ok_or_else(|| Code::Internal.into())
}

/// A person's feed, if they have one.
pub(in crate::volunteering) async fn current(
    connection: &impl ConnectionTrait,
    person: UserId,
) -> Result<Option<calendar_feed::Model>, Problem> {
    Ok(calendar_feed::Entity::find_by_id(person).one(connection).await?)
}

/// The secret in a feed's link. It is computed, so that the database does not hold it.
pub(in crate::volunteering) fn token(state: &AppState, feed: &calendar_feed::Model) -> String {
    let signature = state.keys.sign(Purpose::Calendar, feed.id.as_bytes());
    URL_SAFE_NO_PAD.encode([feed.id.as_bytes(), signature.get(..SIGNED).unwrap_or_default()].concat())
}

/// Whose calendar a link shows; 404 for one that was replaced or never made.
async fn of_token(state: &AppState, token: &str) -> Result<UserId, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let (id, signature) = bytes.split_at_checked(16).ok_or(Code::NotFound)?;
    if signature.len() != SIGNED || !state.keys.verify(Purpose::Calendar, id, signature) {
        return Err(Code::NotFound.into());
    }
    let id = Uuid::from_slice(id).unwrap_or_default();
    let feed = calendar_feed::Entity::find().filter(calendar_feed::Column::Id.eq(id)).one(state.db.read()).await?;
    feed.map(|feed| feed.user_id).ok_or_else(|| Code::NotFound.into())
}

/// The feed behind a link, as iCalendar (RFC 5545). It holds one's own shifts and nothing of anybody else.
pub(in crate::volunteering) async fn read(state: &AppState, token: &str) -> Result<String, Problem> {
    let person = of_token(state, token).await?;
    let connection = state.db.read();
    let rows = signup::Entity::find()
        .filter(signup::Column::UserId.eq(person))
        .filter(signup::Column::EndsAt.gt(state.clock.now() - PAST))
        .order_by_desc(signup::Column::Id)
        .limit(MOST)
        .all(connection)
        .await?;
    let shifts = shift::Entity::find().filter(shift::Column::Id.is_in(rows.iter().map(|row| row.shift_id)));
    let shifts: HashMap<ShiftId, shift::Model> =
        shifts.all(connection).await?.into_iter().map(|row| (row.id, row)).collect();
    let activities = shifts.values().map(|row| row.activity_id);
    let activities = activity::Entity::find().filter(activity::Column::Id.is_in(activities)).all(connection).await?;
    let titles: HashMap<ActivityId, String> = activities.into_iter().map(|row| (row.id, row.title)).collect();
    // Of several sign-ups for one shift the newest counts; how many there were makes the sequence grow.
    let mut of_shift: HashMap<ShiftId, (signup::Model, u32)> = HashMap::new();
    for row in rows {
        of_shift.entry(row.shift_id).and_modify(|(_, more)| *more += 1).or_insert((row, 1));
    }
    let mut events: Vec<_> = of_shift
        .into_values()
        .filter_map(|(row, times)| {
            let shift = shifts.get(&row.shift_id)?;
            Some((shift.starts_at, shift.id, event(&row, times, shift, titles.get(&shift.activity_id)?)))
        })
        .collect();
    events.sort_by_key(|(at, id, _)| (*at, *id));
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//Linli//Shifts//ZH"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.append_property(("METHOD", "PUBLISH"));
    calendar.name("邻里志愿班次");
    for (_, _, event) in events {
        calendar.push(event);
    }
    Ok(calendar.done().to_string())
}

fn event(row: &signup::Model, times: u32, shift: &shift::Model, title: &str) -> Event {
    let called_off = shift.called_off_at.is_some();
    let (status, word) = match row.state {
        _ if called_off => (EventStatus::Cancelled, "班次已取消"),
        SignupState::Cancelled => (EventStatus::Cancelled, "已取消报名"),
        SignupState::Waitlisted => (EventStatus::Tentative, "候补中"),
        SignupState::Offered => (EventStatus::Tentative, "有空位，请尽快确认"),
        _ => (EventStatus::Confirmed, "已报名"),
    };
    let over = u32::from(status == EventStatus::Cancelled);
    // The standing of a sign-up is one more number, so that a calendar takes every step for newer than the one before.
    let stage = u32::from(row.state != SignupState::Waitlisted)
        + u32::from(!matches!(row.state, SignupState::Waitlisted | SignupState::Offered))
        + over;
    let sequence = u32::try_from(shift.revision).unwrap_or_default() * 4 + times * 4 + stage;
    let changed = shift.called_off_at.unwrap_or(row.queued_at);
    Event::new()
        .uid(&format!("{}@linli", shift.id))
        .summary(title)
        .description(word)
        .timestamp(changed)
        .starts(shift.starts_at)
        .ends(shift.ends_at)
        .sequence(sequence)
        .status(status)
        .done()
}
