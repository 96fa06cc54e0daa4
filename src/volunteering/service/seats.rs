use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{ShiftId, SignupId, UserId};
use entities::volunteering::{shift, signup};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::entry::{enter, has_time, is_fit};
use super::exchange::close_requests;
use super::telling::{News, tell};
use super::{advance, advance_one, lock_shift, only_state, own, span};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::{Problem, lock_person, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::domain::{self, Event};
use crate::{places, teams};

/// At most so many shifts in one run of the schedule; the next run takes the rest.
const LAPSED_SHIFTS: u64 = 500;

/// Signs the caller up, or takes the seat that they are offered. Whoever is signed up already gets the same sign-up.
pub(in crate::volunteering) async fn sign_up(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    shift_id: ShiftId,
) -> Result<signup::Model, Problem> {
    let seen = super::find_shift(txn, shift_id).await?;
    if actor.require_verified(txn).await?.community_id != seen.community_id {
        return Err(Code::NotResidentHere.into());
    }
    lock_person(txn, actor.user_id).await?;
    // Not locked: the shift's row comes before the sign-up's, and here only an offer is answered.
    let own = own(shift_id, actor.user_id).one(txn).await?;
    if let Some(own) = own.filter(|own| domain::LIVE.contains(&own.state)) {
        return if own.state == SignupState::Offered { accept(state, txn, own).await } else { Ok(own) };
    }
    // What does not change with the seats is asked before others have to wait.
    let rules = places::rules(state, txn, seen.community_id).await?;
    is_fit(state, txn, actor.user_id, &seen).await?;
    let in_team = match seen.team_id {
        Some(team) => teams::is_member(txn, team, actor.user_id).await?,
        None => true,
    };
    let shift = lock_shift(txn, shift_id).await?;
    // Read after the lock: the queue is in the order of the clock.
    let now = state.clock.now();
    if shift.called_off_at.is_some() {
        return Err(Code::ShiftCalledOff.into());
    }
    if now >= shift.ends_at {
        return Err(Code::ShiftEnded.into());
    }
    let for_all = shift.starts_at - TimeDelta::hours(rules.team_first_hours);
    if !in_team && now < for_all {
        let from = domain::moment_text(for_all);
        return Err(Problem::new(Code::TeamFirst, format!("{from}起开放 / open to all from {from} (China)")));
    }
    has_time(txn, actor.user_id, &shift, &rules).await?;
    let first = if take_seat(txn, shift_id).await? {
        SignupState::Confirmed
    } else if now < shift.starts_at {
        SignupState::Waitlisted
    } else {
        // Who comes late takes a free seat; there is no waiting list any more.
        return Err(Code::ShiftStarted.into());
    };
    enter(state, txn, actor.user_id, &shift, first, &rules).await
}

async fn accept(state: &AppState, txn: &DatabaseTransaction, own: signup::Model) -> Result<signup::Model, Problem> {
    // The schedule hands the seat on a little after the offer ends.
    if own.offer_expires_at.is_none_or(|until| until <= state.clock.now()) {
        return Err(Problem::new(Code::SignupState, "邀请已过期 / the offer has expired"));
    }
    advance_one(txn, &own, Event::Accept, only_state()).await
}

async fn take_seat(txn: &DatabaseTransaction, shift: ShiftId) -> Result<bool, Problem> {
    let taken = shift::Entity::update_many()
        .col_expr(shift::Column::Taken, Expr::col(shift::Column::Taken).add(1))
        .filter(shift::Column::Id.eq(shift))
        .filter(Expr::col(shift::Column::Taken).lt(Expr::col(shift::Column::Capacity)));
    Ok(taken.exec(txn).await?.rows_affected == 1)
}

/// Cancels the caller's sign-up; the seat goes to the next who waits. Who has a seat and comes late needs a stand-in.
pub(in crate::volunteering) async fn cancel(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    shift_id: ShiftId,
) -> Result<signup::Model, Problem> {
    let community = super::find_shift(txn, shift_id).await?.community_id;
    let rules = places::rules(state, txn, community).await?;
    let shift = lock_shift(txn, shift_id).await?;
    let own = own(shift_id, actor.user_id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    if own.state == SignupState::Cancelled {
        return Ok(own);
    }
    domain::next(own.state, Event::Cancel).ok_or(Code::SignupState)?;
    let now = state.clock.now();
    if now >= shift.starts_at {
        return Err(Code::ShiftStarted.into());
    }
    let until = shift.starts_at - TimeDelta::hours(rules.cancel_cutoff_hours);
    if own.state == SignupState::Confirmed && now >= until {
        let until = domain::moment_text(until);
        let detail = format!(
            "{until}前可直接取消，现在请申请他人顶班 / free until {until} (China); now POST /signups/{}/stand-in",
            own.id
        );
        return Err(Problem::new(Code::CancelTooLate, detail));
    }
    let cancelled = advance_one(txn, &own, Event::Cancel, only_state()).await?;
    close_requests(txn, &[own.id], now).await?;
    if domain::SEATED.contains(&own.state) {
        hand_on(state, txn, &shift, 1, &rules).await?;
    }
    Ok(cancelled)
}

/// Hands free seats on, in the shift's lock: each is offered to the next who waits; a seat that nobody waits for is free.
pub(super) async fn hand_on(
    state: &AppState,
    txn: &DatabaseTransaction,
    shift: &shift::Model,
    seats: usize,
    rules: &Rules,
) -> Result<(), Problem> {
    let now = state.clock.now();
    let mut waiting = Vec::new();
    if now < shift.starts_at {
        waiting = signup::Entity::find()
            .filter(signup::Column::ShiftId.eq(shift.id))
            .filter(signup::Column::State.eq(SignupState::Waitlisted))
            .order_by_asc(signup::Column::QueuedAt)
            .order_by_asc(signup::Column::Id)
            .limit(u64::try_from(seats).unwrap_or(u64::MAX))
            .all(txn)
            .await?;
    }
    let until = domain::offer_until(now, rules.offer_minutes, span(shift));
    let offer = signup::ActiveModel { offer_expires_at: Set(Some(until)), ..Default::default() };
    let ids: Vec<_> = waiting.iter().map(|row| row.id).collect();
    let offered = advance(txn, &ids, SignupState::Waitlisted, Event::Offer, offer).await?;
    let free = i32::try_from(seats - offered.len()).unwrap_or(i32::MAX);
    if free > 0 {
        let freed = shift::Entity::update_many()
            .col_expr(shift::Column::Taken, Expr::col(shift::Column::Taken).sub(free))
            .filter(shift::Column::Id.eq(shift.id));
        freed.exec(txn).await?;
    }
    let body = format!("请在{}前确认", domain::moment_text(until));
    let key = until.timestamp_micros().to_string();
    let news = News { kind: "shift.offered", title: "候补的班次有空位了", body: &body, key };
    tell(state, txn, shift, &people(&offered), news).await
}

/// The schedule: ends offers that ran out and waiting lists of shifts that began.
pub(in crate::volunteering) async fn lapse_all(state: &AppState) -> Result<(), JobError> {
    let shifts: Vec<ShiftId> = signup::Entity::find()
        .select_only()
        .column(signup::Column::ShiftId)
        .distinct()
        .filter(lapsed(state.clock.now()))
        .limit(LAPSED_SHIFTS)
        .into_tuple()
        .all(state.db.read())
        .await?;
    for shift in shifts {
        transact(state, async |txn| lapse(state, txn, shift).await).await?;
    }
    Ok(())
}

fn lapsed(now: DateTime<Utc>) -> Condition {
    let (column, state) = (signup::Column::StartsAt, signup::Column::State);
    Condition::any()
        .add(state.eq(SignupState::Offered).and(signup::Column::OfferExpiresAt.lte(now)))
        .add(state.eq(SignupState::Waitlisted).and(column.lte(now)))
}

async fn lapse(state: &AppState, txn: &DatabaseTransaction, shift_id: ShiftId) -> Result<(), Problem> {
    let rules = places::rules(state, txn, super::find_shift(txn, shift_id).await?.community_id).await?;
    let shift = lock_shift(txn, shift_id).await?;
    let now = state.clock.now();
    let due = signup::Entity::find().filter(signup::Column::ShiftId.eq(shift_id)).filter(lapsed(now)).all(txn).await?;
    let (offered, waiting): (Vec<_>, Vec<_>) = due.into_iter().partition(|row| row.state == SignupState::Offered);
    let ids = |rows: &[signup::Model]| rows.iter().map(|row| row.id).collect::<Vec<SignupId>>();
    // Whoever accepted in this very moment keeps the seat: the condition leaves them alone.
    let ended = advance(txn, &ids(&offered), SignupState::Offered, Event::Lapse, only_state()).await?;
    let missed = advance(txn, &ids(&waiting), SignupState::Waitlisted, Event::Lapse, only_state()).await?;
    let key = now.timestamp_micros().to_string();
    let news = News {
        kind: "shift.offer_ended", title: "候补名额已过期", body: "未在时限内确认", key: key.clone()
    };
    tell(state, txn, &shift, &people(&ended), news).await?;
    let news = News { kind: "shift.full", title: "候补未能排上", body: "班次已开始，名额已满", key };
    tell(state, txn, &shift, &people(&missed), news).await?;
    hand_on(state, txn, &shift, ended.len(), &rules).await
}

/// Whose sign-ups they are.
pub(super) fn people(rows: &[signup::Model]) -> Vec<UserId> {
    rows.iter().map(|row| row.user_id).collect()
}
