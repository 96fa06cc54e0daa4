use entities::ids::{SignupId, StandInId, UserId};
use entities::volunteering::{StandInState, shift, signup, stand_in};
use sea_orm::sea_query::{Expr, LockType, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::exchange::{give_up, lock_people, require_coming, take_over};
use super::telling::{News, tell};
use super::{advance_one, find_shift, lock_shift, only_state, own};
use crate::identity::{self, Actor};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::domain::Event;
use crate::{audit, places, teams};

/// At most so many of those who wait are told that a seat can be had.
const TOLD_WAITING: u64 = 50;

/// Asks for somebody to take the caller's seat: a named person, or whoever comes first.
pub(in crate::volunteering) async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    named: Option<UserId>,
) -> Result<stand_in::Model, Problem> {
    let row = signup::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    if row.user_id != actor.user_id {
        return Err(Code::NotFound.into());
    }
    let shift = find_shift(txn, row.shift_id).await?;
    require_coming(&shift, state.clock.now())?;
    if row.state != SignupState::Confirmed {
        return Err(Code::SignupState.into());
    }
    if let Some(named) = named {
        let home = identity::residence(txn, named).await?;
        if named == actor.user_id || home.is_none_or(|home| home.community_id != shift.community_id) {
            return Err(Problem::field(
                "/user_id",
                "须为本社区的其他已认证居民 / must be another verified resident here",
            ));
        }
    }
    let id: StandInId = ids::ordered(&state.clock);
    let new = stand_in::ActiveModel {
        id: Set(id),
        signup_id: Set(row.id),
        shift_id: Set(shift.id),
        community_id: Set(shift.community_id),
        user_id: Set(actor.user_id),
        named_id: Set(named),
        state: Set(StandInState::Open),
        starts_at: Set(shift.starts_at),
        taken_by: Set(None),
        created_at: Set(state.clock.now()),
        closed_at: Set(None),
    };
    let one_open = OnConflict::column(stand_in::Column::SignupId)
        .target_and_where(Expr::cust("state = 'open'"))
        .do_nothing()
        .to_owned();
    if stand_in::Entity::insert(new).on_conflict(one_open).exec_without_returning(txn).await? == 0 {
        return Err(Code::StandInExists.into());
    }
    let people = asked(txn, &shift, actor.user_id, named).await?;
    let body = if named.is_some() {
        "有邻居请您顶班，请在“顶班”中接受"
    } else {
        "有人需要顶班，先接先得"
    };
    let news = News { kind: "stand_in.asked", title: "需要顶班", body, key: id.to_string() };
    tell(state, txn, &shift, &people, news).await?;
    stand_in::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Whom a request concerns: the named person; else the team, and who waits for a seat. Others find it in the list.
async fn asked(
    txn: &DatabaseTransaction,
    shift: &shift::Model,
    by: UserId,
    named: Option<UserId>,
) -> Result<Vec<UserId>, Problem> {
    if let Some(named) = named {
        return Ok(vec![named]);
    }
    let mut people = match shift.team_id {
        Some(team) => teams::members(txn, team).await?,
        None => Vec::new(),
    };
    let waiting = signup::Entity::find()
        .select_only()
        .column(signup::Column::UserId)
        .filter(signup::Column::ShiftId.eq(shift.id))
        .filter(signup::Column::State.eq(SignupState::Waitlisted))
        .order_by_asc(signup::Column::QueuedAt)
        .limit(TOLD_WAITING)
        .into_tuple::<UserId>();
    people.extend(waiting.all(txn).await?);
    people.sort_unstable();
    people.dedup();
    people.retain(|person| *person != by);
    Ok(people)
}

/// Takes the seat: it moves, and the one who asked is free. Whoever comes first; all rules of a sign-up hold but the team's
/// precedence, which is over when somebody is missing.
pub(in crate::volunteering) async fn accept(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: StandInId,
) -> Result<signup::Model, Problem> {
    let request = stand_in::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if request.named_id.is_some_and(|named| named != actor.user_id) {
        return Err(Code::NotFound.into());
    }
    if actor.require_verified(txn).await?.community_id != request.community_id {
        return Err(Code::NotFound.into());
    }
    if request.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let rules = places::rules(state, txn, request.community_id).await?;
    lock_people(txn, [request.user_id, actor.user_id]).await?;
    let shift = lock_shift(txn, request.shift_id).await?;
    let now = state.clock.now();
    let taken = stand_in::Entity::update_many()
        .col_expr(stand_in::Column::State, StandInState::Taken.into())
        .col_expr(stand_in::Column::TakenBy, actor.user_id.into())
        .col_expr(stand_in::Column::ClosedAt, now.into())
        .filter(stand_in::Column::Id.eq(id))
        .filter(stand_in::Column::State.eq(StandInState::Open));
    if taken.exec(txn).await?.rows_affected == 0 {
        return Err(Code::RequestEnded.into());
    }
    require_coming(&shift, now)?;
    let seat = signup::Entity::find_by_id(request.signup_id).one(txn).await?.ok_or(Code::Internal)?;
    give_up(txn, &seat, now).await?;
    // Who waited for this shift stops waiting.
    let waiting =
        own(shift.id, actor.user_id).filter(signup::Column::State.eq(SignupState::Waitlisted)).one(txn).await?;
    if let Some(waiting) = waiting {
        advance_one(txn, &waiting, Event::Cancel, only_state()).await?;
    }
    let row = take_over(state, txn, actor.user_id, &shift, &rules).await?;
    let detail = json!({ "from": request.user_id, "signup_id": row.id });
    let target = ("stand_in", id.0);
    audit::record(state, txn, Some(actor.user_id), "stand_in.accept", target, Some(shift.community_id), detail).await?;
    let news = News { kind: "stand_in.taken", title: "已有人顶班", body: "您不用来了", key: id.to_string() };
    tell(state, txn, &shift, &[request.user_id], news).await?;
    Ok(row)
}

/// Takes the request back; the seat stays the caller's.
pub(in crate::volunteering) async fn withdraw(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: StandInId,
) -> Result<stand_in::Model, Problem> {
    let request = stand_in::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if request.user_id != actor.user_id {
        return Err(Code::NotFound.into());
    }
    if request.state == StandInState::Withdrawn {
        return Ok(request);
    }
    let rows = stand_in::Entity::update_many()
        .col_expr(stand_in::Column::State, StandInState::Withdrawn.into())
        .col_expr(stand_in::Column::ClosedAt, state.clock.now().into())
        .filter(stand_in::Column::Id.eq(id))
        .filter(stand_in::Column::State.eq(StandInState::Open))
        .exec_with_returning(txn)
        .await?;
    rows.into_iter().next().ok_or_else(|| Code::RequestEnded.into())
}
