use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{DeliberationId, TopicId, UserId};
use entities::topics::{SignedBy, attendance, deliberation};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, masked_name};
use crate::platform::check_in::CheckInCode;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Problem, command, text};
use crate::platform::state::AppState;
use crate::topics::service::deliberations::{self, NewDeliberation};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(call).service(read).service(call_off).service(show_code).service(sign_in).service(mark);
    config.service(attendances).service(confirm_attendance).service(write_minutes).service(confirm_minutes);
}

/// A meeting over a topic.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliberationView {
    id: DeliberationId,
    topic_id: TopicId,
    venue: String,
    agenda: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    leader_id: UserId,
    called_off_at: Option<DateTime<Utc>>,
    call_off_reason: Option<String>,
    /// How many were there.
    present: i64,
    /// Once confirmed; before that for those who may confirm them.
    minutes: Option<String>,
    /// Named when they are confirmed.
    minutes_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
}

/// Makes views: one query, however many.
pub(super) async fn views(
    state: &AppState,
    actor: &Actor,
    rows: Vec<deliberation::Model>,
) -> Result<Vec<DeliberationView>, Problem> {
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let present = deliberations::present(state.db.read(), &ids).await?;
    let view = |row: deliberation::Model| {
        let shown = row.confirmed_at.is_some() || deliberations::may_confirm(actor, &row);
        DeliberationView {
            present: present.iter().find(|(id, _)| *id == row.id).map_or(0, |(_, count)| *count),
            minutes: row.minutes.filter(|_| shown),
            minutes_at: row.minutes_at.filter(|_| shown),
            id: row.id,
            topic_id: row.topic_id,
            venue: row.venue,
            agenda: row.agenda,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            leader_id: row.leader_id,
            called_off_at: row.called_off_at,
            call_off_reason: row.call_off_reason,
            confirmed_at: row.confirmed_at,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDeliberationInput {
    /// Where, for people.
    #[garde(custom(text::line(100)))]
    venue: String,
    #[garde(custom(text::paragraph(2000)))]
    agenda: String,
    #[garde(skip)]
    starts_at: DateTime<Utc>,
    #[garde(skip)]
    ends_at: DateTime<Utc>,
    /// Shows the code and marks who is there; oneself without it.
    #[garde(skip)]
    leader_id: Option<UserId>,
}

/// A meeting after what was done to it.
#[derive(Serialize, ToSchema)]
struct Meeting {
    id: DeliberationId,
    topic_id: TopicId,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    called_off_at: Option<DateTime<Utc>>,
    minutes_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
}

impl From<deliberation::Model> for Meeting {
    fn from(row: deliberation::Model) -> Self {
        let deliberation::Model { id, topic_id, starts_at, ends_at, called_off_at, minutes_at, confirmed_at, .. } = row;
        Self { id, topic_id, starts_at, ends_at, called_off_at, minutes_at, confirmed_at }
    }
}

/// Call a deliberation over an open topic
#[utoipa::path(tag = "topics", request_body = NewDeliberationInput, responses((status = 201, body = Meeting)))]
#[post("/topics/{id}/deliberations")]
async fn call(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TopicId>,
    request: Command<NewDeliberationInput>,
) -> Result<Outcome, Problem> {
    let NewDeliberationInput { venue, agenda, starts_at, ends_at, leader_id } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let new = NewDeliberation {
            venue: venue.trim(),
            agenda: agenda.trim(),
            starts_at: *starts_at,
            ends_at: *ends_at,
            leader_id: *leader_id,
        };
        deliberations::call(&state, txn, &actor, *id, new).await.map(Meeting::from)
    })
    .await
}

/// One deliberation
#[utoipa::path(tag = "topics", responses((status = 200, body = DeliberationView)))]
#[get("/deliberations/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
) -> Result<web::Json<DeliberationView>, Problem> {
    let row = deliberations::held(state.db.read(), *id).await?;
    let view = views(&state, &actor, vec![row]).await?.pop();
    view.map(web::Json).ok_or_else(|| Code::Internal.into())
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    #[garde(custom(text::paragraph(200)))]
    reason: String,
}

/// Call a deliberation off before it has begun
#[utoipa::path(tag = "topics", request_body = Reason, responses((status = 200, body = Meeting)))]
#[post("/deliberations/{id}/call-off")]
async fn call_off(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        deliberations::call_off(&state, txn, &actor, *id, request.input.reason.trim()).await.map(Meeting::from)
    })
    .await
}

/// The code to sign in with, for the leader's screen; it changes every 30 seconds
#[utoipa::path(tag = "topics", responses((status = 200, body = CheckInCode)))]
#[get("/deliberations/{id}/code")]
async fn show_code(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
) -> Result<web::Json<CheckInCode>, Problem> {
    let row = deliberations::held(state.db.read(), *id).await?;
    if !deliberations::in_charge(&actor, &row) {
        return Err(Code::Forbidden.into());
    }
    CheckInCode::now(&state, "deliberate", row.id.0).map(web::Json)
}

/// Somebody who is there.
#[derive(Serialize, ToSchema)]
struct AttendanceView {
    user_id: UserId,
    /// Masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    method: SignedBy,
    at: DateTime<Utc>,
    confirmed_at: Option<DateTime<Utc>>,
}

impl AttendanceView {
    fn new(row: attendance::Model, name: Option<String>) -> Self {
        Self { user_id: row.user_id, name, method: row.method, at: row.at, confirmed_at: row.confirmed_at }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// From the leader's screen.
    #[garde(custom(text::line(64)))]
    code: String,
}

/// Sign in to a deliberation with the code on the screen, as a resident of its place
#[utoipa::path(tag = "topics", request_body = SignIn, responses((status = 200, body = AttendanceView)))]
#[post("/deliberations/{id}/sign-in")]
async fn sign_in(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
    request: Command<SignIn>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = deliberations::sign_in(&state, txn, &actor, *id, &request.input.code).await?;
        Ok(AttendanceView::new(row, None))
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Mark {
    #[garde(skip)]
    user_id: UserId,
}

/// Say that a resident is there who cannot scan, as the leader or staff; not of oneself
#[utoipa::path(tag = "topics", request_body = Mark, responses((status = 200, body = AttendanceView)))]
#[post("/deliberations/{id}/attendances")]
async fn mark(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
    request: Command<Mark>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = deliberations::mark(&state, txn, &actor, *id, request.input.user_id).await?;
        Ok(AttendanceView::new(row, None))
    })
    .await
}

/// Who was there.
#[derive(Serialize, ToSchema)]
struct Attendances {
    items: Vec<AttendanceView>,
}

/// Who was there, for the leader and staff
#[utoipa::path(tag = "topics", responses((status = 200, body = Attendances)))]
#[get("/deliberations/{id}/attendances")]
async fn attendances(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
) -> Result<web::Json<Attendances>, Problem> {
    let row = deliberations::held(state.db.read(), *id).await?;
    if !deliberations::in_charge(&actor, &row) {
        return Err(Code::Forbidden.into());
    }
    let rows = deliberations::attendances(state.db.read(), *id).await?;
    let view = |(row, person): (attendance::Model, Option<entities::identity::user::Model>)| {
        AttendanceView::new(row, person.map(|person| masked_name(&person.nickname)))
    };
    Ok(web::Json(Attendances { items: rows.into_iter().map(view).collect() }))
}

/// How many were confirmed.
#[derive(Serialize, ToSchema)]
struct ConfirmedView {
    id: DeliberationId,
    confirmed: usize,
}

/// Confirm who was there, but for oneself; each earns points by the community's rule
#[utoipa::path(tag = "topics", request_body = Nothing, responses((status = 200, body = ConfirmedView)))]
#[post("/deliberations/{id}/attendances/confirmation")]
async fn confirm_attendance(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let confirmed = deliberations::confirm_attendance(&state, txn, &actor, *id).await?;
        Ok(ConfirmedView { id: *id, confirmed })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Minutes {
    #[garde(custom(text::paragraph(10_000)))]
    text: String,
}

/// Write the minutes of a deliberation, again until somebody else has confirmed them
#[utoipa::path(tag = "topics", request_body = Minutes, responses((status = 200, body = Meeting)))]
#[post("/deliberations/{id}/minutes")]
async fn write_minutes(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
    request: Command<Minutes>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        deliberations::write_minutes(&state, txn, &actor, *id, request.input.text.trim()).await.map(Meeting::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct MinutesRead {
    /// Of the minutes that one read.
    #[garde(skip)]
    minutes_at: DateTime<Utc>,
}

/// Confirm minutes that somebody else wrote; from then on everybody reads them
#[utoipa::path(tag = "topics", request_body = MinutesRead, responses((status = 200, body = Meeting)))]
#[post("/deliberations/{id}/minutes/confirmation")]
async fn confirm_minutes(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<DeliberationId>,
    request: Command<MinutesRead>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        deliberations::confirm_minutes(&state, txn, &actor, *id, request.input.minutes_at).await.map(Meeting::from)
    })
    .await
}
