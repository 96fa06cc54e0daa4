use actix_web::{HttpResponse, delete, get, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{ActivityId, ShiftId};
use entities::volunteering::meeting_point;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::platform::geo::Point;
use crate::platform::http::{Body, Caller, Problem, transact};
use crate::platform::state::AppState;
use crate::volunteering::service::presence::{self, Expected};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(of_shift).service(set_for_shift).service(clear_for_shift);
    config.service(set_for_activity).service(clear_for_activity);
}

/// Where people are expected, as they find it on a map.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMeetingPoint {
    #[garde(range(min = -90.0, max = 90.0))]
    latitude: f64,
    #[garde(range(min = -180.0, max = 180.0))]
    longitude: f64,
    /// Metres.
    #[garde(range(min = 10, max = 5000))]
    radius_m: i32,
}

/// Where people are expected.
#[derive(Serialize, ToSchema)]
struct MeetingPoint {
    latitude: f64,
    longitude: f64,
    radius_m: i32,
    /// Whether it is the shift's own rather than its activity's.
    of_shift: bool,
    set_at: DateTime<Utc>,
}

impl From<meeting_point::Model> for MeetingPoint {
    fn from(row: meeting_point::Model) -> Self {
        let meeting_point::Model { latitude, longitude, radius_m, shift_id, set_at, .. } = row;
        Self { latitude, longitude, radius_m, of_shift: shift_id.is_some(), set_at }
    }
}

async fn set(
    state: &AppState,
    actor: &Actor,
    of: Expected,
    body: &NewMeetingPoint,
) -> Result<web::Json<MeetingPoint>, Problem> {
    let point = Point { lat: body.latitude, lng: body.longitude };
    let row = transact(state, async |txn| presence::place(state, txn, actor, of, point, body.radius_m).await).await?;
    Ok(web::Json(row.into()))
}

async fn clear(state: &AppState, actor: &Actor, of: Expected) -> Result<HttpResponse, Problem> {
    transact(state, async |txn| presence::clear(state, txn, actor, of).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Where a shift expects people: its own point, else its activity's; 404 if there is neither
#[utoipa::path(tag = "volunteering", responses((status = 200, body = MeetingPoint)))]
#[get("/shifts/{id}/meeting-point")]
async fn of_shift(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ShiftId>,
) -> Result<web::Json<MeetingPoint>, Problem> {
    presence::expected_at(state.db.read(), *id).await.map(|row| web::Json(row.into()))
}

/// Say where a shift expects people: a hint beside the phone's position at check-in that decides nothing
#[utoipa::path(tag = "volunteering", request_body = NewMeetingPoint, responses((status = 200, body = MeetingPoint)))]
#[put("/shifts/{id}/meeting-point")]
async fn set_for_shift(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    body: Body<NewMeetingPoint>,
) -> Result<web::Json<MeetingPoint>, Problem> {
    set(&state, &actor, Expected::Shift(*id), &body).await
}

/// Take a shift's own meeting point away
#[utoipa::path(tag = "volunteering", responses((status = 204)))]
#[delete("/shifts/{id}/meeting-point")]
async fn clear_for_shift(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
) -> Result<HttpResponse, Problem> {
    clear(&state, &actor, Expected::Shift(*id)).await
}

/// Say where all shifts of an activity expect people that have no point of their own
#[utoipa::path(tag = "volunteering", request_body = NewMeetingPoint, responses((status = 200, body = MeetingPoint)))]
#[put("/activities/{id}/meeting-point")]
async fn set_for_activity(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ActivityId>,
    body: Body<NewMeetingPoint>,
) -> Result<web::Json<MeetingPoint>, Problem> {
    set(&state, &actor, Expected::Activity(*id), &body).await
}

/// Take an activity's meeting point away
#[utoipa::path(tag = "volunteering", responses((status = 204)))]
#[delete("/activities/{id}/meeting-point")]
async fn clear_for_activity(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ActivityId>,
) -> Result<HttpResponse, Problem> {
    clear(&state, &actor, Expected::Activity(*id)).await
}
