//! The commands. Each begins with who may give it.

pub(super) mod absence;
pub(super) mod activities;
pub(super) mod calendar;
pub(super) mod changes;
pub(super) mod corrections;
pub(super) mod credit;
pub(super) mod entry;
pub(super) mod exchange;
pub(super) mod participants;
pub(super) mod presence;
pub(super) mod records;
pub(super) mod seats;
pub(super) mod stand_ins;
pub(super) mod swaps;
mod telling;
pub(super) mod templates;

use entities::ids::{ShiftId, SignupId, UserId};
use entities::volunteering::{shift, signup};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use super::SignupState;
use super::domain::{self, Event, Span};
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;

/// The shift's leader or staff of the place.
pub(super) fn in_charge(actor: &Actor, shift: &shift::Model) -> bool {
    shift.leader_id == actor.user_id || actor.may(Permission::ManageActivities, &shift.place_path)
}

/// A shift by its id, or 404.
pub(super) async fn find_shift(connection: &impl ConnectionTrait, id: ShiftId) -> Result<shift::Model, Problem> {
    shift::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// A shift whose seats and waiting list stand still until the transaction ends, or 404.
async fn lock_shift(txn: &DatabaseTransaction, id: ShiftId) -> Result<shift::Model, Problem> {
    shift::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

fn span(shift: &shift::Model) -> Span {
    Span { from: shift.starts_at, to: shift.ends_at }
}

/// A person's newest sign-up for a shift: the live one, if one is.
fn own(shift: ShiftId, person: UserId) -> Select<signup::Entity> {
    signup::Entity::find()
        .filter(signup::Column::ShiftId.eq(shift))
        .filter(signup::Column::UserId.eq(person))
        .order_by_desc(signup::Column::Id)
}

/// Carries an event out on sign-ups that were seen in one state: the table says what they become, and the state in the
/// condition leaves alone what has changed meanwhile. Gives the rows that it changed.
async fn advance(
    txn: &DatabaseTransaction,
    ids: &[SignupId],
    from: SignupState,
    event: Event,
    mut values: signup::ActiveModel,
) -> Result<Vec<signup::Model>, Problem> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let to = domain::next(from, event).ok_or(Code::SignupState)?;
    values.state = Set(to);
    if to != SignupState::Offered {
        values.offer_expires_at = Set(None);
    }
    let rows = signup::Entity::update_many()
        .set(values)
        .filter(signup::Column::Id.is_in(ids.iter().copied()))
        .filter(signup::Column::State.eq(from))
        .exec_with_returning(txn)
        .await?;
    Ok(rows)
}

/// For events that write nothing but the state.
fn only_state() -> signup::ActiveModel {
    <signup::ActiveModel as Default>::default()
}

/// [`advance`] for one sign-up; 409 if it may not or has changed meanwhile.
async fn advance_one(
    txn: &DatabaseTransaction,
    row: &signup::Model,
    event: Event,
    values: signup::ActiveModel,
) -> Result<signup::Model, Problem> {
    advance(txn, &[row.id], row.state, event, values).await?.pop().ok_or_else(|| Code::SignupState.into())
}
