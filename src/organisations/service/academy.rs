//! The academy 公益学院: courses, who takes them, who completed them.

use chrono::{DateTime, Utc};
use entities::ids::{CourseEnrolmentId, CourseId, PlatformId};
use entities::organisations::{CourseEnrolmentState, course, course_enrolment};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter,
};
use serde_json::json;

use super::platforms;
use crate::audit;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A course by its id, or 404.
pub(in crate::organisations) async fn find(
    connection: &impl ConnectionTrait,
    id: CourseId,
) -> Result<course::Model, Problem> {
    course::Entity::find_by_id(id).one(connection).await?.ok_or_else(|| Code::NotFound.into())
}

/// What is said of a new course.
pub(in crate::organisations) struct NewCourse<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub time: (DateTime<Utc>, DateTime<Utc>),
    pub capacity: i64,
}

/// Announces a course of a platform.
pub(in crate::organisations) async fn announce(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: PlatformId,
    new: &NewCourse<'_>,
) -> Result<course::Model, Problem> {
    let platform = platforms::find(txn, id).await?;
    platforms::runs(actor, &platform)?;
    if new.time.1 <= new.time.0 {
        return Err(Problem::field("/ends_at", "须晚于开始时间 / must be after the beginning"));
    }
    let row = course::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        platform_id: Set(id),
        title: Set(new.title.trim().to_owned()),
        description: Set(new.description.trim().to_owned()),
        starts_at: Set(new.time.0),
        ends_at: Set(new.time.1),
        capacity: Set(new.capacity),
        taken: Set(0),
        created_by: Set(Some(actor.user_id)),
        created_at: Set(state.clock.now()),
    };
    Ok(row.insert(txn).await?)
}

/// Takes a seat. The condition of the statement that counts it decides whether there is one.
pub(in crate::organisations) async fn enrol(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CourseId,
) -> Result<course_enrolment::Model, Problem> {
    let course = find(txn, id).await?;
    let now = state.clock.now();
    if course.starts_at <= now {
        return Err(Code::SessionStarted.into());
    }
    let counted = course::Entity::update_many()
        .col_expr(course::Column::Taken, Expr::col(course::Column::Taken).add(1))
        .filter(course::Column::Id.eq(id))
        .filter(Expr::col(course::Column::Taken).lt(Expr::col(course::Column::Capacity)))
        .exec(txn)
        .await?;
    let new: CourseEnrolmentId = ids::ordered(&state.clock);
    let row = course_enrolment::ActiveModel {
        id: Set(new),
        course_id: Set(id),
        user_id: Set(actor.user_id),
        state: Set(CourseEnrolmentState::Enrolled),
        enrolled_at: Set(now),
        completed_by: Set(None),
        completed_at: Set(None),
    };
    let one_live = OnConflict::columns([course_enrolment::Column::CourseId, course_enrolment::Column::UserId])
        .target_and_where(Expr::cust("state <> 'cancelled'"))
        .do_nothing()
        .to_owned();
    if counted.rows_affected == 0 {
        let own = course_enrolment::Entity::find()
            .filter(course_enrolment::Column::CourseId.eq(id))
            .filter(course_enrolment::Column::UserId.eq(actor.user_id))
            .filter(course_enrolment::Column::State.ne(CourseEnrolmentState::Cancelled));
        let code = if own.one(txn).await?.is_some() { Code::AlreadyApplied } else { Code::CourseFull };
        return Err(code.into());
    }
    // A refusal undoes the count.
    if course_enrolment::Entity::insert(row).on_conflict(one_live).exec_without_returning(txn).await? == 0 {
        return Err(Code::AlreadyApplied.into());
    }
    course_enrolment::Entity::find_by_id(new).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Gives a seat back before the course begins; a second time changes nothing.
pub(in crate::organisations) async fn cancel(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CourseEnrolmentId,
) -> Result<(), Problem> {
    let own = course_enrolment::Entity::find_by_id(id).filter(course_enrolment::Column::UserId.eq(actor.user_id));
    let own = own.one(txn).await?.ok_or(Code::NotFound)?;
    let course = find(txn, own.course_id).await?;
    if course.starts_at <= state.clock.now() {
        return Err(Code::SessionStarted.into());
    }
    // The course first, as in `enrol`; both statements or none.
    course::Entity::update_many()
        .col_expr(course::Column::Taken, Expr::col(course::Column::Taken).sub(1))
        .filter(course::Column::Id.eq(course.id))
        .filter(course::Column::Taken.gt(0))
        .exec(txn)
        .await?;
    let cancelled = course_enrolment::Entity::update_many()
        .col_expr(course_enrolment::Column::State, Expr::value(CourseEnrolmentState::Cancelled))
        .filter(course_enrolment::Column::Id.eq(id))
        .filter(course_enrolment::Column::State.eq(CourseEnrolmentState::Enrolled))
        .exec(txn)
        .await?;
    if cancelled.rows_affected == 0 {
        return Err(Code::AlreadyDecided.into());
    }
    Ok(())
}

/// Records that somebody completed a course, as staff of its platform, not for oneself, once it is over.
pub(in crate::organisations) async fn complete(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: CourseEnrolmentId,
) -> Result<course_enrolment::Model, Problem> {
    let row = course_enrolment::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let course = find(txn, row.course_id).await?;
    let platform = platforms::find(txn, course.platform_id).await?;
    platforms::runs(actor, &platform)?;
    if row.user_id == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let now = state.clock.now();
    if now < course.ends_at {
        return Err(Code::CourseNotOver.into());
    }
    let completed = course_enrolment::Entity::update_many()
        .col_expr(course_enrolment::Column::State, Expr::value(CourseEnrolmentState::Completed))
        .col_expr(course_enrolment::Column::CompletedBy, Expr::value(actor.user_id))
        .col_expr(course_enrolment::Column::CompletedAt, Expr::value(now))
        .filter(course_enrolment::Column::Id.eq(id))
        .filter(course_enrolment::Column::State.eq(CourseEnrolmentState::Enrolled))
        .exec_with_returning(txn)
        .await?;
    let row = completed.into_iter().next().ok_or(Code::AlreadyDecided)?;
    let detail = json!({ "user_id": row.user_id });
    let what = ("course_enrolment", id.0);
    audit::record(state, txn, Some(actor.user_id), "course.complete", what, Some(platform.place_id), detail).await?;
    Ok(row)
}
