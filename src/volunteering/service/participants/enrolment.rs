use entities::ids::{ActivityId, SessionId};
use entities::volunteering::{EnrolmentState, beneficiary_group, enrolment, session};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use serde_json::json;

use super::{lock, span};
use crate::identity::Actor;
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Gives the caller a place, or a place in the waiting list. Whoever has one already gets the same, and may change the groups
/// that they count themself in.
pub(in crate::volunteering) async fn enrol(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SessionId,
    groups: &[String],
) -> Result<enrolment::Model, Problem> {
    let session = lock(txn, id).await?;
    let now = state.clock.now();
    if now >= session.ends_at {
        return Err(Code::SessionEnded.into());
    }
    known_groups(txn, session.activity_id, groups, "/groups").await?;
    let own = own(txn, id, actor).await?;
    if let Some(own) = &own
        && own.state != EnrolmentState::Cancelled
    {
        let changed = enrolment::ActiveModel { id: Set(own.id), belongs_to: Set(json!(groups)), ..Default::default() };
        return Ok(changed.update(txn).await?);
    }
    let standing = if take_place(txn, id).await? { EnrolmentState::Enrolled } else { EnrolmentState::Waiting };
    let mut row = enrolment::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        session_id: Set(id),
        user_id: Set(actor.user_id),
        state: Set(standing),
        // Read after the lock: the waiting list is in the order of the clock.
        queued_at: Set(now),
        belongs_to: Set(json!(groups)),
    };
    let Some(own) = own else { return Ok(row.insert(txn).await?) };
    row.id = Set(own.id);
    Ok(row.update(txn).await?)
}

/// The caller's enrolment, read after the session was locked.
async fn own(txn: &DatabaseTransaction, id: SessionId, actor: &Actor) -> Result<Option<enrolment::Model>, Problem> {
    let own = enrolment::Entity::find()
        .filter(enrolment::Column::SessionId.eq(id))
        .filter(enrolment::Column::UserId.eq(actor.user_id));
    Ok(own.one(txn).await?)
}

async fn take_place(txn: &DatabaseTransaction, id: SessionId) -> Result<bool, Problem> {
    let taken = session::Entity::update_many()
        .col_expr(session::Column::Enrolled, Expr::col(session::Column::Enrolled).add(1))
        .filter(session::Column::Id.eq(id))
        .filter(Expr::col(session::Column::Enrolled).lt(Expr::col(session::Column::Capacity)));
    Ok(taken.exec(txn).await?.rows_affected == 1)
}

/// The groups that somebody names must be the activity's.
pub(super) async fn known_groups(
    txn: &DatabaseTransaction,
    activity: ActivityId,
    groups: &[String],
    pointer: &str,
) -> Result<(), Problem> {
    if groups.is_empty() {
        return Ok(());
    }
    let known = beneficiary_group::Entity::find()
        .filter(beneficiary_group::Column::ActivityId.eq(activity))
        .filter(beneficiary_group::Column::Name.is_in(groups));
    let distinct: std::collections::HashSet<_> = groups.iter().collect();
    if known.count(txn).await? == u64::try_from(distinct.len()).unwrap_or(u64::MAX) && distinct.len() == groups.len() {
        Ok(())
    } else {
        Err(Problem::field(pointer, "不是该活动的群体，或有重复 / not groups of this activity, or one twice"))
    }
}

/// Steps back before the session begins; a place that becomes free goes to the first who waits, who is told.
pub(in crate::volunteering) async fn step_back(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: SessionId,
) -> Result<enrolment::Model, Problem> {
    let session = lock(txn, id).await?;
    let own = own(txn, id, actor).await?.ok_or(Code::NotFound)?;
    if own.state == EnrolmentState::Cancelled {
        return Ok(own);
    }
    if state.clock.now() >= session.starts_at {
        return Err(Code::SessionStarted.into());
    }
    let had_place = own.state == EnrolmentState::Enrolled;
    let cancelled =
        enrolment::ActiveModel { id: Set(own.id), state: Set(EnrolmentState::Cancelled), ..Default::default() };
    let cancelled = cancelled.update(txn).await?;
    if had_place {
        hand_on(state, txn, &session).await?;
    }
    Ok(cancelled)
}

/// Gives a place on, in the session's lock: to the first who waits, or back to the session.
async fn hand_on(state: &AppState, txn: &DatabaseTransaction, session: &session::Model) -> Result<(), Problem> {
    let next = enrolment::Entity::find()
        .filter(enrolment::Column::SessionId.eq(session.id))
        .filter(enrolment::Column::State.eq(EnrolmentState::Waiting))
        .order_by_asc(enrolment::Column::QueuedAt)
        .order_by_asc(enrolment::Column::Id)
        .one(txn)
        .await?;
    let Some(next) = next else {
        let freed = session::Entity::update_many()
            .col_expr(session::Column::Enrolled, Expr::col(session::Column::Enrolled).sub(1))
            .filter(session::Column::Id.eq(session.id));
        freed.exec(txn).await?;
        return Ok(());
    };
    let enrolled =
        enrolment::ActiveModel { id: Set(next.id), state: Set(EnrolmentState::Enrolled), ..Default::default() };
    enrolled.update(txn).await?;
    let message = Message {
        kind: "session.enrolled",
        title: "候补的活动有名额了".to_owned(),
        body: format!("您已报上：{}，{}", session.title, span(session).text()),
        target: Some(("session", session.id.0)),
        dedupe_key: format!("session.enrolled:{}:{}", session.id, next.queued_at.timestamp_micros()),
        template: Template::Shift,
    };
    notifications::tell(state, txn, next.user_id, &message).await
}
