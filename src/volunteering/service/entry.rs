//! What a person must meet for a seat, whichever way they come to it: sign-up, stand-in, swap.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::UserId;
use entities::volunteering::{shift, signup, suspension};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder,
};
use serde_json::json;

use super::span;
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::teams;
use crate::volunteering::SignupState;
use crate::volunteering::domain::{self, Clash, Span};

/// Whether the person may take shifts like this one at all: not suspended, and able to do what it needs. In the person's
/// lock, so that no suspension begins meanwhile.
pub(super) async fn is_fit(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    shift: &shift::Model,
) -> Result<(), Problem> {
    if let Some(until) = suspended_until(txn, person, state.clock.now()).await? {
        let until = domain::moment_text(until);
        return Err(Problem::new(Code::Suspended, format!("暂停至{until} / suspended until {until} (China)")));
    }
    if let Some(skill) = &shift.skill
        && !teams::is_qualified(txn, shift.community_id, person, skill).await?
    {
        return Err(Problem::new(Code::NotQualified, format!("需要：{skill} / needs: {skill}")));
    }
    Ok(())
}

/// Until when somebody takes no shifts.
pub(in crate::volunteering) async fn suspended_until(
    connection: &impl ConnectionTrait,
    person: UserId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let last = suspension::Entity::find()
        .filter(suspension::Column::UserId.eq(person))
        .filter(suspension::Column::UntilAt.gt(now))
        .filter(suspension::Column::LiftedAt.is_null())
        .order_by_desc(suspension::Column::UntilAt);
    Ok(last.one(connection).await?.map(|row| row.until_at))
}

/// Whether the person's other live sign-ups leave room, and rest, for a shift. In the person's lock, so that two requests of
/// one person see each other; `signups_overlap` is the second guard.
pub(super) async fn has_time(
    txn: &DatabaseTransaction,
    person: UserId,
    shift: &shift::Model,
    rules: &Rules,
) -> Result<(), Problem> {
    let rest = TimeDelta::minutes(rules.minimum_rest_minutes);
    let live = signup::Entity::find()
        .filter(signup::Column::UserId.eq(person))
        .filter(signup::Column::State.is_in(domain::LIVE))
        .filter(signup::Column::EndsAt.gt(shift.starts_at - rest))
        .filter(signup::Column::StartsAt.lt(shift.ends_at + rest));
    let clashes = live.all(txn).await?.into_iter().filter_map(|row| {
        let other = Span { from: row.starts_at, to: row.ends_at };
        domain::clash(other, span(shift), rest).map(|clash| (clash, other))
    });
    match clashes.min_by_key(|(clash, _)| *clash == Clash::Rest) {
        None => Ok(()),
        Some((Clash::Overlap, other)) => Err(Problem::new(Code::OverlappingShift, other.text())),
        Some((Clash::Rest, other)) => Err(Problem::new(
            Code::RestTooShort,
            format!(
                "与{}之间须休息{rest}分钟 / {rest} minutes of rest are needed",
                other.text(),
                rest = rules.minimum_rest_minutes
            ),
        )),
    }
}

/// Writes a sign-up in its first state.
pub(super) async fn enter(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    shift: &shift::Model,
    first: SignupState,
    rules: &Rules,
) -> Result<signup::Model, Problem> {
    let row = signup::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        shift_id: Set(shift.id),
        user_id: Set(person),
        community_id: Set(shift.community_id),
        state: Set(first),
        starts_at: Set(shift.starts_at),
        ends_at: Set(shift.ends_at),
        rests_until: Set(domain::rests_until(span(shift), rules.minimum_rest_minutes)),
        queued_at: Set(state.clock.now()),
        offer_expires_at: Set(None),
        checked_in_at: Set(None),
        checked_out_at: Set(None),
        proof: Set(json!({})),
        minutes: Set(None),
        points: Set(None),
        confirmed_by: Set(None),
        confirmed_at: Set(None),
    };
    Ok(row.insert(txn).await?)
}
