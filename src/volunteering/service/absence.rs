//! Who did not come: marked by somebody, appealed by the person, decided by somebody else; and the suspension that follows
//! from too many. Locks: person, sign-up.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{NoShowId, PlaceId, ShiftId, SignupId, SuspensionId, UserId};
use entities::volunteering::{NoShowState, no_show, shift, signup, suspension};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, JoinType, PaginatorTrait,
    QueryFilter, QuerySelect, RelationDef,
};
use serde_json::json;

use super::telling::{News, tell};
use super::{advance_one, find_shift, in_charge, only_state};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::{Problem, lock_person, transact};
use crate::platform::ids;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::domain::{self, Event};
use crate::{audit, places};

/// At most so many shifts in one run of the schedule; the next run takes the rest.
const REMINDED: u64 = 200;

/// Says that somebody did not come, as the shift's leader or staff, once it is over. Said again, it answers the same.
pub(in crate::volunteering) async fn mark(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
) -> Result<no_show::Model, Problem> {
    let seen = signup::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if seen.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let shift = find_shift(txn, seen.shift_id).await?;
    if !in_charge(actor, &shift) {
        return Err(Code::NotFound.into());
    }
    let rules = places::rules(state, txn, shift.community_id).await?;
    // Marks of one person come one after the other, so that none is missed in the count.
    lock_person(txn, seen.user_id).await?;
    if let Some(known) = no_show::Entity::find_by_id(id).one(txn).await? {
        return Ok(known);
    }
    let now = state.clock.now();
    if now < shift.ends_at {
        return Err(Problem::new(Code::SignupState, "班次结束后才能标记缺席 / only once the shift is over"));
    }
    let row = signup::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    advance_one(txn, &row, Event::Miss, only_state()).await?;
    let new = no_show::ActiveModel {
        signup_id: Set(id),
        id: Set(ids::ordered::<NoShowId>(&state.clock)),
        user_id: Set(row.user_id),
        community_id: Set(shift.community_id),
        place_path: Set(shift.place_path.clone()),
        missed_at: Set(shift.ends_at),
        state: Set(NoShowState::Standing),
        set_by: Set(Some(actor.user_id)),
        set_at: Set(now),
        ..Default::default()
    };
    new.insert(txn).await?;
    let suspended = suspend(state, txn, row.user_id, shift.community_id, &rules).await?;
    audit::record(
        state,
        txn,
        Some(actor.user_id),
        "signup.no_show",
        ("signup", id.0),
        Some(shift.community_id),
        json!({}),
    )
    .await?;
    let appeal = format!("您被标记为缺席，{}天内可以申诉", rules.appeal_days);
    let body = match &suspended {
        None => appeal,
        Some(row) => format!("{appeal}；因多次缺席，暂停报名至{}", domain::moment_text(row.until_at)),
    };
    let news = News { kind: "signup.no_show", title: "缺席记录", body: &body, key: id.to_string() };
    tell(state, txn, &shift, &[row.user_id], news).await?;
    no_show::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Suspends somebody whose no-shows have become too many. Each counts towards one suspension: after it they begin anew.
async fn suspend(
    state: &AppState,
    txn: &DatabaseTransaction,
    person: UserId,
    community: PlaceId,
    rules: &Rules,
) -> Result<Option<suspension::Model>, Problem> {
    let now = state.clock.now();
    let counted = no_show::Entity::find()
        .filter(no_show::Column::UserId.eq(person))
        .filter(no_show::Column::CommunityId.eq(community))
        .filter(no_show::Column::MissedAt.gt(now - TimeDelta::days(rules.no_shows_within_days)))
        .filter(no_show::Column::State.ne(NoShowState::Excused))
        .filter(no_show::Column::SuspensionId.is_null())
        .all(txn)
        .await?;
    let enough = usize::try_from(rules.no_shows_before_suspension).unwrap_or(usize::MAX).max(1);
    if counted.len() < enough || rules.suspension_days <= 0 {
        return Ok(None);
    }
    let row = suspension::ActiveModel {
        id: Set(ids::ordered::<SuspensionId>(&state.clock)),
        user_id: Set(person),
        community_id: Set(community),
        no_shows: Set(i32::try_from(enough).unwrap_or(i32::MAX)),
        from_at: Set(now),
        until_at: Set(now + TimeDelta::days(rules.suspension_days)),
        lifted_at: Set(None),
    };
    let row = row.insert(txn).await?;
    no_show::Entity::update_many()
        .col_expr(no_show::Column::SuspensionId, row.id.into())
        .filter(no_show::Column::SignupId.is_in(counted.iter().map(|row| row.signup_id)))
        .exec(txn)
        .await?;
    Ok(Some(row))
}

/// The person says why they could not come, once and within the time for it.
pub(in crate::volunteering) async fn appeal(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    reason: &str,
) -> Result<no_show::Model, Problem> {
    let seen = no_show::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if seen.user_id != actor.user_id {
        return Err(Code::NotFound.into());
    }
    let rules = places::rules(state, txn, seen.community_id).await?;
    let now = state.clock.now();
    if now >= appeal_until(&seen, rules.appeal_days) {
        return Err(Code::AppealWindow.into());
    }
    let rows = no_show::Entity::update_many()
        .col_expr(no_show::Column::State, NoShowState::Appealed.into())
        .col_expr(no_show::Column::Appeal, Expr::value(reason.trim()))
        .col_expr(no_show::Column::AppealedAt, now.into())
        .filter(no_show::Column::SignupId.eq(id))
        .filter(no_show::Column::State.eq(NoShowState::Standing))
        .exec_with_returning(txn)
        .await?;
    let row = rows.into_iter().next().ok_or(Code::AppealWindow)?;
    let shift = shift_of(txn, id).await?;
    if row.set_by != Some(shift.leader_id) && shift.leader_id != row.user_id {
        let news =
            News { kind: "appeal.asked", title: "缺席申诉", body: "有人申诉，请处理", key: id.to_string() };
        tell(state, txn, &shift, &[shift.leader_id], news).await?;
    }
    Ok(row)
}

/// Until when one may appeal.
pub(in crate::volunteering) fn appeal_until(row: &no_show::Model, days: i64) -> DateTime<Utc> {
    row.set_at + TimeDelta::days(days)
}

async fn shift_of(txn: &DatabaseTransaction, id: SignupId) -> Result<shift::Model, Problem> {
    let row = signup::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    find_shift(txn, row.shift_id).await
}

/// Decides on an appeal: by somebody in charge who is neither the person nor whoever set the no-show. An excused no-show
/// counts no more, and a suspension that has too few left is lifted.
pub(in crate::volunteering) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SignupId,
    excused: bool,
    words: &str,
) -> Result<no_show::Model, Problem> {
    let seen = no_show::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let shift = shift_of(txn, id).await?;
    if seen.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    if !in_charge(actor, &shift) {
        return Err(Code::NotFound.into());
    }
    if seen.set_by == Some(actor.user_id) {
        return Err(Code::OwnAct.into());
    }
    lock_person(txn, seen.user_id).await?;
    let to = if excused { NoShowState::Excused } else { NoShowState::Rejected };
    let rows = no_show::Entity::update_many()
        .col_expr(no_show::Column::State, to.into())
        .col_expr(no_show::Column::DecidedBy, actor.user_id.into())
        .col_expr(no_show::Column::DecidedAt, state.clock.now().into())
        .col_expr(no_show::Column::Decision, Expr::value(words.trim()))
        .filter(no_show::Column::SignupId.eq(id))
        .filter(no_show::Column::State.eq(NoShowState::Appealed))
        .exec_with_returning(txn)
        .await?;
    let Some(row) = rows.into_iter().next() else {
        return Err(if seen.state == NoShowState::Standing { Code::NotFound } else { Code::AlreadyDecided }.into());
    };
    let mut lifted = false;
    if excused {
        let missed = signup::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
        advance_one(txn, &missed, Event::Excuse, only_state()).await?;
        lifted = lift(state, txn, &row).await?;
    }
    let detail = json!({ "excused": excused, "lifted": lifted });
    audit::record(state, txn, Some(actor.user_id), "appeal.decide", ("signup", id.0), Some(shift.community_id), detail)
        .await?;
    let body = match (excused, lifted) {
        (true, true) => "申诉成立，缺席已免责，报名已恢复",
        (true, false) => "申诉成立，缺席已免责",
        (false, _) => "申诉未成立，缺席记录保留",
    };
    let news = News { kind: "appeal.decided", title: "申诉结果", body, key: id.to_string() };
    tell(state, txn, &shift, &[row.user_id], news).await?;
    Ok(row)
}

/// Lifts the suspension that an excused no-show led to, if too few are left for it; these count anew.
async fn lift(state: &AppState, txn: &DatabaseTransaction, excused: &no_show::Model) -> Result<bool, Problem> {
    let Some(id) = excused.suspension_id else { return Ok(false) };
    let row = suspension::Entity::find_by_id(id).one(txn).await?.ok_or(Code::Internal)?;
    let left = no_show::Entity::find()
        .filter(no_show::Column::SuspensionId.eq(id))
        .filter(no_show::Column::State.ne(NoShowState::Excused))
        .count(txn)
        .await?;
    if left >= u64::try_from(row.no_shows).unwrap_or_default() {
        return Ok(false);
    }
    let now = state.clock.now();
    let running = row.lifted_at.is_none() && now < row.until_at;
    suspension::Entity::update_many()
        .col_expr(suspension::Column::LiftedAt, now.into())
        .filter(suspension::Column::Id.eq(id))
        .filter(suspension::Column::LiftedAt.is_null())
        .exec(txn)
        .await?;
    no_show::Entity::update_many()
        .col_expr(no_show::Column::SuspensionId, Expr::value(Option::<uuid::Uuid>::None))
        .filter(no_show::Column::SuspensionId.eq(id))
        .exec(txn)
        .await?;
    Ok(running)
}

/// The schedule: tells leaders, once a shift, that somebody with a seat never checked in. It marks nobody.
pub(in crate::volunteering) async fn remind(state: &AppState) -> Result<(), JobError> {
    let due = state.clock.now() - domain::NO_SHOW_AFTER;
    let shifts: Vec<ShiftId> = signup::Entity::find()
        .select_only()
        .column(signup::Column::ShiftId)
        .distinct()
        .join(JoinType::InnerJoin, to_shift())
        .filter(signup::Column::State.eq(SignupState::Confirmed))
        .filter(signup::Column::EndsAt.lte(due))
        .filter(shift::Column::RemindedAt.is_null())
        .limit(REMINDED)
        .into_tuple()
        .all(state.db.read())
        .await?;
    for id in shifts {
        transact(state, async |txn| {
            let reminded = shift::Entity::update_many()
                .col_expr(shift::Column::RemindedAt, state.clock.now().into())
                .filter(shift::Column::Id.eq(id))
                .filter(shift::Column::RemindedAt.is_null());
            let Some(shift) = reminded.exec_with_returning(txn).await?.pop() else { return Ok(()) };
            let missing = signup::Entity::find()
                .filter(signup::Column::ShiftId.eq(id))
                .filter(signup::Column::State.eq(SignupState::Confirmed));
            let body = format!("{}人未签到，请核对并标记是否缺席", missing.count(txn).await?);
            let news = News { kind: "shift.unmarked", title: "请核对出勤", body: &body, key: String::new() };
            tell(state, txn, &shift, &[shift.leader_id], news).await
        })
        .await?;
    }
    Ok(())
}

fn to_shift() -> RelationDef {
    signup::Entity::belongs_to(shift::Entity).from(signup::Column::ShiftId).to(shift::Column::Id).into()
}
