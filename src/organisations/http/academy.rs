use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{CourseEnrolmentId, CourseId, PlatformId, UserId};
use entities::organisations::{CourseEnrolmentState, course, course_enrolment};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::names;
use crate::identity::Actor;
use crate::organisations::service::academy::{self, NewCourse};
use crate::organisations::service::platforms;
use crate::platform::http::{
    Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(announce).service(list).service(enrol).service(cancel).service(complete).service(participants);
    config.service(mine);
}

/// A course of the academy 公益学院.
#[derive(Serialize, ToSchema)]
struct CourseView {
    id: CourseId,
    platform_id: PlatformId,
    title: String,
    description: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    capacity: i64,
    taken: i64,
}

impl From<course::Model> for CourseView {
    fn from(row: course::Model) -> Self {
        let course::Model { id, platform_id, title, description, starts_at, ends_at, capacity, taken, .. } = row;
        Self { id, platform_id, title, description, starts_at, ends_at, capacity, taken }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCourseBody {
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(custom(text::paragraph(2000)))]
    description: String,
    #[garde(skip)]
    starts_at: DateTime<Utc>,
    #[garde(skip)]
    ends_at: DateTime<Utc>,
    #[garde(range(min = 1, max = 10_000))]
    capacity: i64,
}

/// Announce a course, as staff of the platform's place
#[utoipa::path(tag = "platforms", request_body = NewCourseBody, responses((status = 201, body = CourseView)))]
#[post("/platforms/{id}/courses")]
async fn announce(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlatformId>,
    request: Command<NewCourseBody>,
) -> Result<Outcome, Problem> {
    let NewCourseBody { title, description, starts_at, ends_at, capacity } = &request.input;
    let new = NewCourse { title, description, time: (*starts_at, *ends_at), capacity: *capacity };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        academy::announce(&state, txn, &actor, *id, &new).await.map(CourseView::from)
    })
    .await
}

/// The courses of a platform, newest first
#[utoipa::path(tag = "platforms", params(PageParams), responses((status = 200, body = Page<CourseView>)))]
#[get("/platforms/{id}/courses")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<PlatformId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<CourseView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    platforms::find(state.db.read(), *id).await?;
    let courses = course::Entity::find().filter(course::Column::PlatformId.eq(*id));
    let rows = paging.apply(courses, course::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, CourseView::from)))
}

/// Somebody's place in a course.
#[derive(Serialize, ToSchema)]
struct CourseEnrolmentView {
    id: CourseEnrolmentId,
    course_id: CourseId,
    state: CourseEnrolmentState,
    enrolled_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

impl From<course_enrolment::Model> for CourseEnrolmentView {
    fn from(row: course_enrolment::Model) -> Self {
        let course_enrolment::Model { id, course_id, state, enrolled_at, completed_at, .. } = row;
        Self { id, course_id, state, enrolled_at, completed_at }
    }
}

/// Take a seat in a course: 409 `course_full` when there is none left
#[utoipa::path(tag = "platforms", responses((status = 201, body = CourseEnrolmentView)))]
#[post("/courses/{id}/enrolments")]
async fn enrol(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CourseId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        academy::enrol(&state, txn, &actor, *id).await.map(CourseEnrolmentView::from)
    })
    .await
}

/// Give one's seat back, before the course begins
#[utoipa::path(tag = "platforms", responses((status = 204)))]
#[delete("/course-enrolments/{id}")]
async fn cancel(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CourseEnrolmentId>,
) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| academy::cancel(&state, txn, &actor, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Record that somebody completed a course, once it is over: staff of the platform's place, not for oneself
#[utoipa::path(tag = "platforms", responses((status = 200, body = CourseEnrolmentView)))]
#[post("/course-enrolments/{id}/completion")]
async fn complete(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CourseEnrolmentId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        academy::complete(&state, txn, &actor, *id).await.map(CourseEnrolmentView::from)
    })
    .await
}

/// Somebody in a course, for its staff.
#[derive(Serialize, ToSchema)]
struct CourseParticipant {
    #[serde(flatten)]
    enrolment: CourseEnrolmentView,
    user_id: UserId,
    /// Masked: `王**`.
    name: String,
}

/// Who is in a course, for staff of the platform's place
#[utoipa::path(tag = "platforms", params(PageParams), responses((status = 200, body = Page<CourseParticipant>)))]
#[get("/courses/{id}/enrolments")]
async fn participants(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CourseId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<CourseParticipant>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let course = academy::find(connection, *id).await?;
    platforms::runs(&actor, &platforms::find(connection, course.platform_id).await?)?;
    let all = course_enrolment::Entity::find().filter(course_enrolment::Column::CourseId.eq(*id));
    let rows = paging.apply(all, course_enrolment::Column::Id).all(connection).await?;
    let names = names(connection, rows.iter().map(|row| row.user_id)).await?;
    let view = |row: course_enrolment::Model| CourseParticipant {
        user_id: row.user_id,
        name: names.get(&row.user_id).cloned().unwrap_or_default(),
        enrolment: row.into(),
    };
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, view)))
}

/// The courses that one takes or took, newest first
#[utoipa::path(tag = "platforms", params(PageParams), responses((status = 200, body = Page<CourseEnrolmentView>)))]
#[get("/me/courses")]
async fn mine(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<CourseEnrolmentView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let own = course_enrolment::Entity::find().filter(course_enrolment::Column::UserId.eq(actor.user_id));
    let rows = paging.apply(own, course_enrolment::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, CourseEnrolmentView::from)))
}
