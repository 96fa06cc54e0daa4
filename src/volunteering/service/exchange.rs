//! Seats that pass from one person to another. Locks in this order: persons by id, shifts by id, sign-ups; what is exchanged
//! is decided by the state in the condition of each update, so that of two events at once one wins and nothing is half done.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entities::ids::{ShiftId, SignupId, UserId};
use entities::volunteering::{StandInState, SwapState, shift, signup, stand_in, swap};
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};

use super::entry::{enter, has_time, is_fit};
use super::{advance_one, lock_shift, only_state};
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::{Problem, lock_person, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::domain::Event;

/// Locks people in the order of their ids.
pub(super) async fn lock_people<const N: usize>(txn: &DatabaseTransaction, people: [UserId; N]) -> Result<(), Problem> {
    for person in BTreeSet::from(people) {
        lock_person(txn, person).await?;
    }
    Ok(())
}

/// Locks two shifts in the order of their ids, and gives them in the order asked for.
pub(super) async fn lock_two(
    txn: &DatabaseTransaction,
    one: ShiftId,
    two: ShiftId,
) -> Result<(shift::Model, shift::Model), Problem> {
    if one <= two {
        let one = lock_shift(txn, one).await?;
        Ok((one, lock_shift(txn, two).await?))
    } else {
        let two = lock_shift(txn, two).await?;
        Ok((lock_shift(txn, one).await?, two))
    }
}

/// 409 unless the shift is still to come.
pub(super) fn require_coming(shift: &shift::Model, now: DateTime<Utc>) -> Result<(), Problem> {
    if shift.called_off_at.is_some() {
        Err(Code::ShiftCalledOff.into())
    } else if now >= shift.starts_at {
        Err(Code::ShiftStarted.into())
    } else {
        Ok(())
    }
}

/// Gives up a seat that somebody else takes in the same transaction: the count does not change.
pub(super) async fn give_up(txn: &DatabaseTransaction, row: &signup::Model, now: DateTime<Utc>) -> Result<(), Problem> {
    if row.state != SignupState::Confirmed {
        return Err(Code::SignupState.into());
    }
    advance_one(txn, row, Event::HandOver, only_state()).await?;
    close_requests(txn, &[row.id], now).await
}

/// Takes a seat that was given up, if the person meets what a seat needs.
pub(super) async fn take_over(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    shift: &shift::Model,
    rules: &Rules,
) -> Result<signup::Model, Problem> {
    is_fit(state, txn, person, shift).await?;
    has_time(txn, person, shift, rules).await?;
    enter(state, txn, person, shift, SignupState::Confirmed, rules).await
}

/// Ends the open requests about sign-ups that are no seats any more.
pub(super) async fn close_requests(
    txn: &DatabaseTransaction,
    signups: &[SignupId],
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    if signups.is_empty() {
        return Ok(());
    }
    lapse_stand_ins(txn, stand_in::Column::SignupId.is_in(signups.iter().copied()).into(), at).await?;
    close_swaps(txn, signups, at).await
}

/// Ends the open offers to swap of sign-ups.
pub(super) async fn close_swaps(
    txn: &DatabaseTransaction,
    signups: &[SignupId],
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let of = |column: swap::Column| column.is_in(signups.iter().copied());
    lapse_swaps(txn, of(swap::Column::SignupId).or(of(swap::Column::WithSignupId)).into(), at).await
}

async fn lapse_stand_ins(txn: &DatabaseTransaction, which: Condition, at: DateTime<Utc>) -> Result<(), Problem> {
    stand_in::Entity::update_many()
        .col_expr(stand_in::Column::State, StandInState::Lapsed.into())
        .col_expr(stand_in::Column::ClosedAt, at.into())
        .filter(stand_in::Column::State.eq(StandInState::Open))
        .filter(which)
        .exec(txn)
        .await?;
    Ok(())
}

async fn lapse_swaps(txn: &DatabaseTransaction, which: Condition, at: DateTime<Utc>) -> Result<(), Problem> {
    swap::Entity::update_many()
        .col_expr(swap::Column::State, SwapState::Lapsed.into())
        .col_expr(swap::Column::ClosedAt, at.into())
        .filter(swap::Column::State.eq(SwapState::Open))
        .filter(which)
        .exec(txn)
        .await?;
    Ok(())
}

/// The schedule: ends requests whose shift has begun.
pub(in crate::volunteering) async fn lapse_requests(state: &AppState) -> Result<(), JobError> {
    transact(state, async |txn| {
        let now = state.clock.now();
        lapse_stand_ins(txn, stand_in::Column::StartsAt.lte(now).into(), now).await?;
        lapse_swaps(txn, swap::Column::StartsAt.lte(now).into(), now).await
    })
    .await?;
    Ok(())
}
