mod confirming;
mod correcting;
mod meeting;
mod overview;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ShiftId, SignupId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::signups::SignupView;
use crate::identity::Actor;
use crate::platform::check_in::CheckInCode;
use crate::platform::code::Code;
use crate::platform::geo::Point;
use crate::platform::http::{Command, Nothing, Outcome, Problem, command, text};
use crate::platform::state::AppState;
use crate::volunteering::domain::Step;
use crate::volunteering::service::presence::{Sighting, Upload};
use crate::volunteering::service::{find_shift, in_charge, presence};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(show_code).service(check_in).service(check_out).service(upload).service(mark_in).service(mark_out);
    config.service(review);
    meeting::routes(config);
    confirming::routes(config);
    correcting::routes(config);
    overview::routes(config);
}

/// The code to check in and out with, for the shift's leader and staff
#[utoipa::path(tag = "volunteering", responses((status = 200, body = CheckInCode)))]
#[get("/shifts/{id}/check-in-code")]
async fn show_code(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
) -> Result<web::Json<CheckInCode>, Problem> {
    let shift = find_shift(state.db.read(), *id).await?;
    if !in_charge(&actor, &shift) {
        return Err(Code::Forbidden.into());
    }
    CheckInCode::now(&state, "check-in", shift.id.0).map(web::Json)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    /// From the leader's screen.
    #[garde(custom(text::line(64)))]
    code: String,
    /// Kept to about 100 m, with its distance from the meeting point, as a hint for the leader; it decides nothing.
    #[garde(dive)]
    position: Option<Position>,
}

#[derive(Clone, Copy, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Position {
    #[garde(range(min = -90.0, max = 90.0))]
    latitude: f64,
    #[garde(range(min = -180.0, max = 180.0))]
    longitude: f64,
    /// As the phone gives it: within so many metres.
    #[garde(range(min = 0.0, max = 100_000.0))]
    accuracy_m: Option<f64>,
}

impl Position {
    fn sighting(self) -> Sighting {
        let Self { latitude, longitude, accuracy_m } = self;
        Sighting { point: Point { lat: latitude, lng: longitude }, accuracy_m }
    }
}

async fn check(
    state: &AppState,
    actor: &Actor,
    shift: ShiftId,
    step: Step,
    request: Command<Check>,
) -> Result<Outcome, Problem> {
    let Check { code, position } = &request.input;
    command(state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let sighting = position.map(Position::sighting);
        presence::check_by_code(state, txn, actor, shift, step, code, sighting).await.map(SignupView::from)
    })
    .await
}

/// Check in with the code on the leader's screen
#[utoipa::path(tag = "volunteering", request_body = Check, responses((status = 200, body = SignupView)))]
#[post("/shifts/{id}/check-in")]
async fn check_in(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    request: Command<Check>,
) -> Result<Outcome, Problem> {
    check(&state, &actor, *id, Step::In, request).await
}

/// Check out with the code on the leader's screen
#[utoipa::path(tag = "volunteering", request_body = Check, responses((status = 200, body = SignupView)))]
#[post("/shifts/{id}/check-out")]
async fn check_out(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    request: Command<Check>,
) -> Result<Outcome, Problem> {
    check(&state, &actor, *id, Step::Out, request).await
}

async fn mark(
    state: &AppState,
    actor: &Actor,
    id: SignupId,
    step: Step,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        presence::check_by_mark(state, txn, actor, id, step).await.map(SignupView::from)
    })
    .await
}

/// Say that somebody else came, as the shift's leader or staff
#[utoipa::path(tag = "volunteering", responses((status = 200, body = SignupView)))]
#[post("/signups/{id}/check-in")]
async fn mark_in(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    mark(&state, &actor, *id, Step::In, request).await
}

/// Say that somebody else left, as the shift's leader or staff
#[utoipa::path(tag = "volunteering", responses((status = 200, body = SignupView)))]
#[post("/signups/{id}/check-out")]
async fn mark_out(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    mark(&state, &actor, *id, Step::Out, request).await
}

/// Coming or leaving.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Direction {
    In,
    Out,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct OfflineCheck {
    #[garde(skip)]
    step: Direction,
    /// As scanned from the leader's screen.
    #[garde(custom(text::line(64)))]
    code: String,
    /// When it was scanned, by the phone's clock. It counts within the minute in which the code was good.
    #[garde(skip)]
    device_time: DateTime<Utc>,
    /// Made by the phone, one a scan: however often it is uploaded, it happens once.
    #[garde(length(chars, min = 8, max = 64), custom(text::line(64)))]
    nonce: String,
    #[garde(dive)]
    position: Option<Position>,
}

/// What became of an upload; a repetition gets the same.
#[derive(Serialize, ToSchema)]
struct Uploaded {
    signup_id: SignupId,
    /// The moment that counts.
    at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    /// More than 30 minutes after the scan: the leader sees that.
    late: bool,
    /// Whether it changed the sign-up; if it had changed already, say by the leader's mark, the upload is kept as evidence.
    applied: bool,
}

/// Upload a check-in or check-out that was scanned without a network
///
/// Accepted until `rules.offline_upload_hours` after the scan; upload coming before leaving.
#[utoipa::path(tag = "volunteering", request_body = OfflineCheck, responses((status = 200, body = Uploaded)))]
#[post("/shifts/{id}/check-ins/offline")]
async fn upload(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    request: Command<OfflineCheck>,
) -> Result<Outcome, Problem> {
    let OfflineCheck { step, code, device_time, nonce, position } = &request.input;
    let step = match step {
        Direction::In => Step::In,
        Direction::Out => Step::Out,
    };
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let upload =
            Upload { step, code, device_time: *device_time, nonce, sighting: position.map(Position::sighting) };
        let row = presence::upload(&state, txn, &actor, *id, upload).await?;
        let (signup_id, at, received_at) = (row.signup_id, row.at, row.received_at);
        Ok(Uploaded { signup_id, at, received_at, late: row.late, applied: row.applied })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Review {
    /// Between the check-in and now.
    #[garde(skip)]
    left_at: DateTime<Utc>,
    /// The volunteer reads it.
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Say when somebody left who forgot to check out, as the shift's leader or staff
#[utoipa::path(tag = "volunteering", request_body = Review, responses((status = 200, body = SignupView)))]
#[post("/signups/{id}/review")]
async fn review(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Review>,
) -> Result<Outcome, Problem> {
    let Review { left_at, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        presence::review(&state, txn, &actor, *id, *left_at, reason).await.map(SignupView::from)
    })
    .await
}
