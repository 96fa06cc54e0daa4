use std::collections::{HashMap, HashSet};

use actix_web::http::StatusCode;
use actix_web::{delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, EnrolmentId, SessionId, UserId};
use entities::volunteering::{EnrolmentState, attendance, enrolment, session};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, masked_name};
use crate::platform::code::Code;
use crate::platform::http::{
    Body, Caller, Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;
use crate::volunteering::service::participants::{self, Plan};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(name_groups).service(enrol).service(step_back).service(enrolments);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSession {
    #[garde(custom(text::line(60)))]
    title: String,
    /// In the future, at most a year ahead.
    #[garde(skip)]
    starts_at: DateTime<Utc>,
    /// At most 24 hours later.
    #[garde(skip)]
    ends_at: DateTime<Utc>,
    #[garde(range(min = 1, max = 10_000))]
    capacity: i32,
    /// Shows the code and keeps the list; the caller without it.
    #[garde(skip)]
    leader_id: Option<UserId>,
}

/// A time that people enrol in.
#[derive(Serialize, ToSchema)]
struct SessionView {
    id: SessionId,
    activity_id: ActivityId,
    title: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    capacity: i32,
    /// Places that are gone.
    enrolled: i32,
    leader_id: UserId,
    /// Where the caller stands.
    my_enrolment: Option<EnrolmentState>,
}

impl SessionView {
    fn new(row: session::Model, my_enrolment: Option<EnrolmentState>) -> Self {
        let session::Model { id, activity_id, title, starts_at, ends_at, capacity, enrolled, leader_id, .. } = row;
        Self { id, activity_id, title, starts_at, ends_at, capacity, enrolled, leader_id, my_enrolment }
    }
}

/// Add a session to an activity that people enrol in, such as an evening of a course
#[utoipa::path(tag = "participants", request_body = NewSession, responses((status = 201, body = SessionView)))]
#[post("/activities/{id}/sessions")]
async fn create(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ActivityId>,
    request: Command<NewSession>,
) -> Result<Outcome, Problem> {
    let NewSession { title, starts_at, ends_at, capacity, leader_id } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let plan = Plan { title, starts_at: *starts_at, ends_at: *ends_at, capacity: *capacity, leader_id: *leader_id };
        participants::add(&state, txn, &actor, *id, plan).await.map(|row| SessionView::new(row, None))
    })
    .await
}

/// An activity's sessions, newest first
#[utoipa::path(tag = "participants", params(PageParams), responses((status = 200, body = Page<SessionView>)))]
#[get("/activities/{id}/sessions")]
async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ActivityId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<SessionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let all = session::Entity::find().filter(session::Column::ActivityId.eq(*id));
    let rows = paging.apply(all, session::Column::Id).all(state.db.read()).await?;
    let own = enrolment::Entity::find()
        .filter(enrolment::Column::UserId.eq(caller.user_id))
        .filter(enrolment::Column::SessionId.is_in(rows.iter().map(|row| row.id)));
    let own: HashMap<SessionId, EnrolmentState> =
        own.all(state.db.read()).await?.into_iter().map(|row| (row.session_id, row.state)).collect();
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let mine = own.get(&row.id).copied();
            SessionView::new(row, mine)
        },
    )))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGroups {
    /// As 青年女性, 全职妈妈.
    #[garde(length(min = 1, max = 20), inner(custom(text::line(20))))]
    names: Vec<String>,
}

/// The groups that an activity's participants are counted in.
#[derive(Serialize, ToSchema)]
struct Groups {
    names: Vec<String>,
}

/// Add groups that an activity's participants are counted in; none is ever taken away
#[utoipa::path(tag = "participants", request_body = NewGroups, responses((status = 200, body = Groups)))]
#[put("/activities/{id}/groups")]
async fn name_groups(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ActivityId>,
    body: Body<NewGroups>,
) -> Result<web::Json<Groups>, Problem> {
    let names =
        transact(&state, async |txn| participants::name_groups(&state, txn, &actor, *id, &body.names).await).await?;
    Ok(web::Json(Groups { names }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Enrolling {
    /// Of the activity's groups those that one counts oneself in; may be left out.
    #[garde(length(max = 20), inner(custom(text::line(20))))]
    #[serde(default)]
    groups: Vec<String>,
}

/// One's own enrolment.
#[derive(Serialize, ToSchema)]
struct EnrolmentView {
    id: EnrolmentId,
    state: EnrolmentState,
}

impl From<enrolment::Model> for EnrolmentView {
    fn from(row: enrolment::Model) -> Self {
        Self { id: row.id, state: row.state }
    }
}

/// Enrol in a session; anybody signed in may
///
/// Gives a place (`enrolled`) or one in the waiting list (`waiting`); a place that becomes free goes to the first who waits.
#[utoipa::path(tag = "participants", request_body = Enrolling, responses((status = 200, body = EnrolmentView)))]
#[put("/sessions/{id}/enrolment")]
async fn enrol(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
    body: Body<Enrolling>,
) -> Result<web::Json<EnrolmentView>, Problem> {
    let row = transact(&state, async |txn| participants::enrol(&state, txn, &actor, *id, &body.groups).await).await?;
    Ok(web::Json(row.into()))
}

/// Step back from a session before it begins
#[utoipa::path(tag = "participants", responses((status = 200, body = EnrolmentView)))]
#[delete("/sessions/{id}/enrolment")]
async fn step_back(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
) -> Result<web::Json<EnrolmentView>, Problem> {
    let row = transact(&state, async |txn| participants::step_back(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(row.into()))
}

/// Somebody on the list of a session.
#[derive(Serialize, ToSchema)]
struct ListEntry {
    id: EnrolmentId,
    user_id: UserId,
    /// Masked.
    name: String,
    state: EnrolmentState,
    /// The waiting list is in this order.
    queued_at: DateTime<Utc>,
    groups: Vec<String>,
    attended: bool,
}

/// Who enrolled in a session, for its leader and staff
#[utoipa::path(tag = "participants", params(PageParams), responses((status = 200, body = Page<ListEntry>)))]
#[get("/sessions/{id}/enrolments")]
async fn enrolments(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ListEntry>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let session = participants::find(state.db.read(), *id).await?;
    if !participants::in_charge(&actor, &session) {
        return Err(Code::Forbidden.into());
    }
    let all = enrolment::Entity::find().filter(enrolment::Column::SessionId.eq(session.id));
    let rows = paging.apply(all, enrolment::Column::Id).all(state.db.read()).await?;
    let people = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)));
    let names: HashMap<UserId, String> =
        people.all(state.db.read()).await?.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect();
    let there = attendance::Entity::find()
        .filter(attendance::Column::SessionId.eq(session.id))
        .filter(attendance::Column::UserId.is_in(rows.iter().map(|row| row.user_id)));
    let there: HashSet<UserId> = there.all(state.db.read()).await?.into_iter().filter_map(|row| row.user_id).collect();
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| ListEntry {
            id: row.id,
            user_id: row.user_id,
            name: names.get(&row.user_id).cloned().unwrap_or_default(),
            state: row.state,
            queued_at: row.queued_at,
            groups: serde_json::from_value(row.belongs_to).unwrap_or_default(),
            attended: there.contains(&row.user_id),
        },
    )))
}
