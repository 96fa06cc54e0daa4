//! Shifts that change or do not take place. Locks: shift, sign-ups.

use chrono::{DateTime, TimeDelta, Utc};
use entities::identity::user;
use entities::ids::{ShiftId, SignupId, UserId};
use entities::volunteering::{StandInState, activity, shift, signup, stand_in};
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use super::activities::require_leader;
use super::exchange::{close_requests, close_swaps, require_coming};
use super::seats::{hand_on, people};
use super::telling::{News, tell};
use super::{advance, find_shift, in_charge, lock_shift, only_state, span};
use crate::identity::{Actor, masked_name};
use crate::notices::{self, Notice};
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::teams::LeaderChanged;
use crate::volunteering::SignupState;
use crate::volunteering::domain::{self, Clash, Event, Span};
use crate::{audit, places};

/// A refusal names so many people at most.
const NAMED: usize = 5;
/// Who signed up and has not come yet.
const EXPECTED: [SignupState; 3] = [SignupState::Waitlisted, SignupState::Offered, SignupState::Confirmed];

/// What a shift becomes.
pub(in crate::volunteering) struct Change<'a> {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub capacity: i32,
    pub leader_id: UserId,
    /// Whose seats are taken back: they go to the head of the waiting list.
    pub release: &'a [SignupId],
}

/// Changes a shift that has not begun, as its leader or staff. Whoever signed up is told, and nobody's other shifts are
/// disregarded.
pub(in crate::volunteering) async fn change(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ShiftId,
    change: Change<'_>,
) -> Result<shift::Model, Problem> {
    let seen = find_shift(txn, id).await?;
    if !in_charge(actor, &seen) {
        return Err(Code::Forbidden.into());
    }
    let now = state.clock.now();
    let new =
        Span::of_shift(change.starts_at, change.ends_at, now).map_err(|(pointer, why)| Problem::field(pointer, why))?;
    if new.from <= now {
        return Err(Problem::field("/starts_at", "须晚于现在 / must lie in the future"));
    }
    require_leader(txn, change.leader_id).await?;
    let rules = places::rules(state, txn, seen.community_id).await?;
    let before = lock_shift(txn, id).await?;
    require_coming(&before, now)?;
    let expected = expected(txn, id).await?;
    let moved = span(&before) != new;
    if moved {
        shift_people(txn, id, &people(&expected), new, &rules).await?;
        move_signups(state, txn, &expected, new, &rules).await?;
    }
    let released = release(txn, &before, &expected, change.release).await?;
    close_requests(txn, change.release, now).await?;
    let changed = shift::Entity::update_many()
        .col_expr(shift::Column::StartsAt, new.from.into())
        .col_expr(shift::Column::EndsAt, new.to.into())
        .col_expr(shift::Column::Capacity, change.capacity.into())
        .col_expr(shift::Column::LeaderId, change.leader_id.into())
        .col_expr(shift::Column::Taken, Expr::col(shift::Column::Taken).sub(count(released.len())))
        .col_expr(shift::Column::Revision, Expr::col(shift::Column::Revision).add(1))
        .filter(shift::Column::Id.eq(id))
        .filter(Expr::col(shift::Column::Taken).sub(count(released.len())).lte(change.capacity));
    let Some(after) = changed.exec_with_returning(txn).await?.pop() else { return Err(Code::SeatsTaken.into()) };
    offer_free_seats(state, txn, &after, &rules).await?;
    let detail = json!({ "moved": moved, "capacity": change.capacity, "leader_id": change.leader_id, "released": released.len() });
    audit::record(state, txn, Some(actor.user_id), "shift.change", ("shift", id.0), Some(before.community_id), detail)
        .await?;
    let key = after.revision.to_string();
    if moved || before.leader_id != change.leader_id {
        let body =
            if moved { format!("原定{}，现改为", span(&before).text()) } else { "带班人已更换".to_owned() };
        let news = News { kind: "shift.changed", title: "班次有变动", body: &body, key: key.clone() };
        tell(state, txn, &after, &people(&expected), news).await?;
    }
    let news = News { kind: "shift.released", title: "名额减少", body: "您已转为候补第一顺位", key };
    tell(state, txn, &after, &people(&released), news).await?;
    find_shift(txn, id).await
}

/// Who signed up for a shift and has not come yet, locked in the order of ids.
async fn expected(txn: &DatabaseTransaction, id: ShiftId) -> Result<Vec<signup::Model>, Problem> {
    let rows = signup::Entity::find()
        .filter(signup::Column::ShiftId.eq(id))
        .filter(signup::Column::State.is_in(EXPECTED))
        .order_by_asc(signup::Column::Id)
        .lock(LockType::NoKeyUpdate);
    Ok(rows.all(txn).await?)
}

/// Refuses a time that clashes with other shifts of those who signed up, naming them (masked). `signups_overlap` is the
/// second guard, against sign-ups of this very moment.
async fn shift_people(
    txn: &DatabaseTransaction,
    id: ShiftId,
    people: &[UserId],
    new: Span,
    rules: &Rules,
) -> Result<(), Problem> {
    let rest = TimeDelta::minutes(rules.minimum_rest_minutes);
    let others = signup::Entity::find()
        .filter(signup::Column::UserId.is_in(people.iter().copied()))
        .filter(signup::Column::ShiftId.ne(id))
        .filter(signup::Column::State.is_in(domain::LIVE))
        .filter(signup::Column::EndsAt.gt(new.from - rest))
        .filter(signup::Column::StartsAt.lt(new.to + rest))
        .all(txn)
        .await?;
    let clashes: Vec<(Clash, UserId)> = others
        .iter()
        .filter_map(|row| {
            let other = Span { from: row.starts_at, to: row.ends_at };
            domain::clash(other, new, rest).map(|clash| (clash, row.user_id))
        })
        .collect();
    if clashes.is_empty() {
        return Ok(());
    }
    let code = if clashes.iter().any(|(clash, _)| *clash == Clash::Overlap) {
        Code::OverlappingShift
    } else {
        Code::RestTooShort
    };
    let people =
        user::Entity::find().filter(user::Column::Id.is_in(clashes.iter().take(NAMED).map(|(_, person)| *person)));
    let names: Vec<_> = people.all(txn).await?.iter().map(|row| masked_name(&row.nickname)).collect();
    Err(Problem::new(code, format!("与{}的其他班次冲突 / clashes for {} sign-up(s)", names.join("、"), clashes.len())))
}

/// Gives the sign-ups of a shift its new time. Offers end with its beginning at the latest; offers to swap end at once, for
/// they were made for another time.
async fn move_signups(
    state: &AppState,
    txn: &DatabaseTransaction,
    rows: &[signup::Model],
    new: Span,
    rules: &Rules,
) -> Result<(), Problem> {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let these = || signup::Entity::update_many().filter(signup::Column::Id.is_in(ids.iter().copied()));
    these()
        .col_expr(signup::Column::StartsAt, new.from.into())
        .col_expr(signup::Column::EndsAt, new.to.into())
        .col_expr(signup::Column::RestsUntil, domain::rests_until(new, rules.minimum_rest_minutes).into())
        .exec(txn)
        .await?;
    these()
        .col_expr(signup::Column::OfferExpiresAt, new.from.into())
        .filter(signup::Column::OfferExpiresAt.gt(new.from))
        .exec(txn)
        .await?;
    stand_in::Entity::update_many()
        .col_expr(stand_in::Column::StartsAt, new.from.into())
        .filter(stand_in::Column::SignupId.is_in(ids.iter().copied()))
        .filter(stand_in::Column::State.eq(StandInState::Open))
        .exec(txn)
        .await?;
    close_swaps(txn, &ids, state.clock.now()).await
}

/// Takes seats back: their people stand at the head of the waiting list. The count is the caller's to lower.
async fn release(
    txn: &DatabaseTransaction,
    shift: &shift::Model,
    expected: &[signup::Model],
    release: &[SignupId],
) -> Result<Vec<signup::Model>, Problem> {
    let mut released = Vec::new();
    for state in [SignupState::Offered, SignupState::Confirmed] {
        let seated = |id: &SignupId| expected.iter().any(|row| row.id == *id && row.state == state);
        let ids: Vec<_> = release.iter().copied().filter(seated).collect();
        // Before everybody: nobody queued before the shift was there.
        let values = signup::ActiveModel { queued_at: Set(shift.created_at), ..Default::default() };
        released.extend(advance(txn, &ids, state, Event::Release, values).await?);
    }
    if released.len() < release.len() {
        return Err(Problem::field(
            "/release",
            "只能列出本班次已占名额的报名，各一次 / seats of this shift, each once",
        ));
    }
    Ok(released)
}

fn count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

/// Offers seats that a change has made to those who wait.
async fn offer_free_seats(
    state: &AppState,
    txn: &DatabaseTransaction,
    shift: &shift::Model,
    rules: &Rules,
) -> Result<(), Problem> {
    let free = usize::try_from(shift.capacity - shift.taken).unwrap_or_default();
    if free == 0 {
        return Ok(());
    }
    shift::Entity::update_many()
        .col_expr(shift::Column::Taken, Expr::col(shift::Column::Capacity))
        .filter(shift::Column::Id.eq(shift.id))
        .exec(txn)
        .await?;
    // Gives back what nobody waits for.
    hand_on(state, txn, shift, free, rules).await
}

/// Calls a shift off before it begins, as its leader or staff: all sign-ups end, everybody is told. Done again, it answers
/// the same.
pub(in crate::volunteering) async fn call_off(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ShiftId,
    reason: &str,
) -> Result<shift::Model, Problem> {
    if !in_charge(actor, &find_shift(txn, id).await?) {
        return Err(Code::Forbidden.into());
    }
    let before = lock_shift(txn, id).await?;
    if before.called_off_at.is_some() {
        return Ok(before);
    }
    let now = state.clock.now();
    require_coming(&before, now)?;
    let expected = expected(txn, id).await?;
    let mut seats = 0;
    for from in EXPECTED {
        let ids: Vec<_> = expected.iter().filter(|row| row.state == from).map(|row| row.id).collect();
        let ended = advance(txn, &ids, from, Event::CallOff, only_state()).await?;
        if domain::SEATED.contains(&from) {
            seats += ended.len();
        }
    }
    let ids: Vec<_> = expected.iter().map(|row| row.id).collect();
    close_requests(txn, &ids, now).await?;
    let called_off = shift::Entity::update_many()
        .col_expr(shift::Column::CalledOffAt, now.into())
        .col_expr(shift::Column::CalledOffBy, actor.user_id.into())
        .col_expr(shift::Column::CallOffReason, Expr::value(reason.trim()))
        .col_expr(shift::Column::Taken, Expr::col(shift::Column::Taken).sub(count(seats)))
        .col_expr(shift::Column::Revision, Expr::col(shift::Column::Revision).add(1))
        .filter(shift::Column::Id.eq(id));
    let after = called_off.exec_with_returning(txn).await?.pop().ok_or(Code::Internal)?;
    let detail = json!({ "signups": expected.len() });
    audit::record(state, txn, Some(actor.user_id), "shift.call_off", ("shift", id.0), Some(after.community_id), detail)
        .await?;
    let body = format!("原因：{}。已取消的班次", reason.trim());
    let news = News { kind: "shift.called_off", title: "班次取消", body: &body, key: String::new() };
    tell(state, txn, &after, &people(&expected), news).await?;
    let activity = activity::Entity::find_by_id(after.activity_id).one(txn).await?.ok_or(Code::Internal)?;
    let notice = Notice {
        community_id: after.community_id,
        kind: "shift.called_off",
        title: format!("班次取消：{}", activity.title),
        body: format!("{}的班次取消，已通知报名的{}人。", span(&after).text(), expected.len()),
        subject: Some(("shift", id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(after)
}

/// The job: who leads a team now leads its coming shifts that the one before led. Others were named for a shift on purpose.
pub(in crate::volunteering) async fn follow_leader(state: &AppState, changed: LeaderChanged) -> Result<(), JobError> {
    transact(state, async |txn| {
        let led = shift::Entity::update_many()
            .col_expr(shift::Column::LeaderId, changed.to.into())
            .col_expr(shift::Column::Revision, Expr::col(shift::Column::Revision).add(1))
            .filter(shift::Column::TeamId.eq(changed.team_id))
            .filter(shift::Column::LeaderId.eq(changed.from))
            .filter(shift::Column::EndsAt.gt(state.clock.now()));
        Ok(led.exec(txn).await?.rows_affected)
    })
    .await?;
    Ok(())
}
