//! What platforms do for organisations: registration help, tutoring, rooms.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{IncubationId, OrganisationId, PlatformId, RoomId};
use entities::organisations::{IncubationKind, IncubationState, incubation, room};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};
use serde_json::json;

use super::people::{people_of, role_of};
use super::platforms;
use crate::audit;
use crate::identity::Actor;
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A booking is no longer than that.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// Adds a room to a platform.
pub(in crate::organisations) async fn add_room(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: PlatformId,
    (name, seats): (&str, i64),
) -> Result<room::Model, Problem> {
    let platform = platforms::find(txn, id).await?;
    platforms::runs(actor, &platform)?;
    let room: RoomId = ids::ordered(&state.clock);
    let row = room::ActiveModel {
        id: Set(room),
        platform_id: Set(id),
        name: Set(name.trim().to_owned()),
        seats: Set(seats),
        created_at: Set(state.clock.now()),
    };
    let once = OnConflict::columns([room::Column::PlatformId, room::Column::Name]).do_nothing().to_owned();
    if room::Entity::insert(row).on_conflict(once).exec_without_returning(txn).await? == 0 {
        return Err(Code::RoomKnown.into());
    }
    room::Entity::find_by_id(room).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// What an organisation asks for.
pub(in crate::organisations) struct Wish<'a> {
    pub organisation_id: OrganisationId,
    pub kind: IncubationKind,
    pub words: &'a str,
    pub space: Option<(RoomId, DateTime<Utc>, DateTime<Utc>)>,
}

/// Asks a platform for something, as one of an organisation's people.
pub(in crate::organisations) async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: PlatformId,
    wish: &Wish<'_>,
) -> Result<incubation::Model, Problem> {
    let platform = platforms::find(txn, id).await?;
    if role_of(txn, wish.organisation_id, actor.user_id).await?.is_none() {
        return Err(Code::Forbidden.into());
    }
    let now = state.clock.now();
    match (wish.kind, wish.space) {
        (IncubationKind::Space, Some((room, from, until))) => {
            let there = room::Entity::find_by_id(room).filter(room::Column::PlatformId.eq(id));
            if there.one(txn).await?.is_none() {
                return Err(Problem::field("/room_id", "该平台没有这个空间 / no such room of the platform"));
            }
            if from < now {
                return Err(Problem::field("/starts_at", "须在现在之后 / must lie ahead"));
            }
            if until <= from || until - from > LONGEST {
                return Err(Problem::field("/ends_at", "须晚于开始，最长24小时 / after the start, at most 24 hours"));
            }
        }
        (IncubationKind::Space, None) => {
            return Err(Problem::field("/room_id", "须指明空间和时间 / name the room and the time"));
        }
        (_, Some(_)) => return Err(Problem::field("/room_id", "只有预约空间才填 / only for a room")),
        (_, None) => {}
    }
    let row = incubation::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        platform_id: Set(platform.id),
        organisation_id: Set(wish.organisation_id),
        kind: Set(wish.kind),
        state: Set(IncubationState::Requested),
        wish: Set(wish.words.trim().to_owned()),
        room_id: Set(wish.space.map(|(room, _, _)| room)),
        starts_at: Set(wish.space.map(|(_, from, _)| from)),
        ends_at: Set(wish.space.map(|(_, _, until)| until)),
        requested_by: Set(actor.user_id),
        requested_at: Set(now),
        decided_by: Set(None),
        decided_at: Set(None),
        answer: Set(None),
    };
    Ok(row.insert(txn).await?)
}

/// A wish with whether the caller may see it; else 404.
pub(in crate::organisations) async fn find(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    id: IncubationId,
) -> Result<incubation::Model, Problem> {
    let row = incubation::Entity::find_by_id(id).one(connection).await?.ok_or(Code::NotFound)?;
    let platform = platforms::find(connection, row.platform_id).await?;
    let own = role_of(connection, row.organisation_id, actor.user_id).await?.is_some();
    if own || platforms::runs(actor, &platform).is_ok() { Ok(row) } else { Err(Code::NotFound.into()) }
}

/// Moves a wish on. Staff of the platform accept, decline and finish, its organisation withdraws; nobody answers their own. Of
/// two accepted bookings of a room that overlap, the constraint refuses the second.
pub(in crate::organisations) async fn answer(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: IncubationId,
    (to, words): (IncubationState, Option<&str>),
) -> Result<incubation::Model, Problem> {
    let row = find(txn, actor, id).await?;
    let platform = platforms::find(txn, row.platform_id).await?;
    let from: &[IncubationState] = match to {
        IncubationState::Accepted | IncubationState::Declined => &[IncubationState::Requested],
        IncubationState::Done => &[IncubationState::Accepted],
        IncubationState::Withdrawn => &[IncubationState::Requested, IncubationState::Accepted],
        IncubationState::Requested => return Err(Code::AlreadyDecided.into()),
    };
    if to == IncubationState::Withdrawn {
        if role_of(txn, row.organisation_id, actor.user_id).await?.is_none() {
            return Err(Code::Forbidden.into());
        }
    } else {
        platforms::runs(actor, &platform)?;
        if row.requested_by == actor.user_id {
            return Err(Code::OwnAct.into());
        }
    }
    let moved = incubation::Entity::update_many()
        .col_expr(incubation::Column::State, Expr::value(to))
        .col_expr(incubation::Column::DecidedBy, Expr::value(actor.user_id))
        .col_expr(incubation::Column::DecidedAt, Expr::value(state.clock.now()))
        .col_expr(incubation::Column::Answer, Expr::value(words.map(|words| words.trim().to_owned())))
        .filter(incubation::Column::Id.eq(id))
        .filter(incubation::Column::State.is_in(from.iter().copied()))
        .exec_with_returning(txn)
        .await?;
    let row = moved.into_iter().next().ok_or(Code::AlreadyDecided)?;
    let detail = json!({ "state": to });
    let what = ("incubation", id.0);
    audit::record(state, txn, Some(actor.user_id), "incubation.answer", what, Some(platform.place_id), detail).await?;
    let outcome = match to {
        IncubationState::Accepted => "已受理",
        IncubationState::Declined => "未受理",
        IncubationState::Done => "已办结",
        _ => return Ok(row),
    };
    let message = Message {
        kind: "incubation.answered",
        title: format!("孵化服务{outcome}"),
        body: format!("{}：您的申请{outcome}。{}", platform.name, row.answer.as_deref().unwrap_or_default()),
        target: Some(("incubation", id.0)),
        dedupe_key: format!("incubation.answered:{id}:{to}"),
        template: Template::Need,
    };
    notifications::tell_all(state, txn, &people_of(txn, row.organisation_id).await?, &message).await?;
    Ok(row)
}
