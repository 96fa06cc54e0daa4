use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ShiftId, SignupId};
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::signups::SignupView;
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Problem, command, text};
use crate::platform::state::AppState;
use crate::volunteering::domain::{self, Step};
use crate::volunteering::service::{find_shift, in_charge, presence};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(show_code).service(check_in).service(check_out).service(mark_in).service(mark_out).service(confirm);
}

/// What the leader's screen shows; it asks for a new one every 30 seconds.
#[derive(Serialize, ToSchema)]
struct CheckInCode {
    code: String,
    /// Until when it is accepted; half of its life it is shown.
    expires_at: DateTime<Utc>,
    /// A QR code of `linli://check-in/{shift}/{code}`.
    qr_svg: String,
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
    let window = domain::code_window(state.clock.now());
    let code = presence::code(&state, shift.id, window);
    let picture = QRBuilder::new(format!("linli://check-in/{}/{code}", shift.id))
        .build()
        .map_err(|error| Problem::from(Code::Internal).caused_by(error.to_string()))?;
    let qr_svg = SvgBuilder::default().to_str(&picture);
    Ok(web::Json(CheckInCode { code, expires_at: domain::code_expires(window), qr_svg }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    /// From the leader's screen.
    #[garde(custom(text::line(64)))]
    code: String,
    /// Kept to about 100 m as a hint for the leader; it decides nothing.
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
}

impl Position {
    fn rounded(self) -> serde_json::Value {
        let round = |degrees: f64| (degrees * 1000.0).round() / 1000.0;
        json!({ "latitude": round(self.latitude), "longitude": round(self.longitude) })
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
        let position = position.map(Position::rounded);
        presence::check_by_code(state, txn, actor, shift, step, code, position).await.map(SignupView::from)
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

/// What a confirmed presence is worth.
#[derive(Serialize, ToSchema)]
struct CreditView {
    /// Whole minutes that presence and shift have in common; sealed.
    minutes: i64,
    points: i64,
}

/// Confirm somebody else's presence: minutes and points arrive, once; later calls answer the same
#[utoipa::path(tag = "volunteering", responses((status = 200, body = CreditView)))]
#[post("/signups/{id}/confirm")]
async fn confirm(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let presence::Credit { minutes, points } = presence::confirm(&state, txn, &actor, *id).await?;
        Ok(CreditView { minutes, points })
    })
    .await
}
