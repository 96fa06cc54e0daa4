use actix_web::{get, put, web};
use entities::ids::PlaceId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{managed, set, set_point};
use crate::identity::Actor;
use crate::places;
use crate::platform::config::Rules;
use crate::platform::geo::Point;
use crate::platform::http::{Body, Problem, transact};
use crate::platform::state::AppState;

pub(in crate::identity) fn routes(config: &mut ServiceConfig) {
    config.service(read).service(replace).service(locate);
}

/// Some of the fields of `Rules`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
struct Own(#[garde(skip)] Map<String, Value>);

/// What a place has set, and what holds there.
#[derive(Serialize, ToSchema)]
struct SettingsView {
    /// The fields of `rules` that the place itself has set.
    #[schema(value_type = Object)]
    own: Value,
    /// The server's rules, changed by what the district, the street and the place have set, in this order.
    rules: Rules,
}

/// What a place has set for itself, and the rules that hold there; for its staff
#[utoipa::path(tag = "places", responses((status = 200, body = SettingsView)))]
#[get("/places/{id}/settings")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlaceId>,
) -> Result<web::Json<SettingsView>, Problem> {
    let connection = state.db.read();
    let place = managed(connection, &actor, *id).await?;
    let rules = places::rules(&state, connection, place.id).await?;
    Ok(web::Json(SettingsView { own: place.settings, rules }))
}

/// Replace what a place has set for itself; what it does not set holds as above it
///
/// What was awarded, offered or reserved before stays as it is.
#[utoipa::path(tag = "places", request_body = Own, responses((status = 200, body = SettingsView)))]
#[put("/places/{id}/settings")]
async fn replace(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlaceId>,
    body: Body<Own>,
) -> Result<web::Json<SettingsView>, Problem> {
    let rules = transact(&state, async |txn| set(&state, txn, &actor, *id, &body.0.0).await).await?;
    Ok(web::Json(SettingsView { own: Value::Object(body.0.0), rules }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PointInput {
    /// Degrees north, GCJ-02, as WeChat's map gives them.
    #[garde(range(min = -90.0, max = 90.0))]
    lat: f64,
    /// Degrees east, GCJ-02.
    #[garde(range(min = -180.0, max = 180.0))]
    lng: f64,
}

/// Where a place is.
#[derive(Serialize, ToSchema)]
struct PointView {
    id: PlaceId,
    lat: f64,
    lng: f64,
}

/// Say where a place is, for `GET /places/near`
#[utoipa::path(tag = "places", request_body = PointInput, responses((status = 200, body = PointView)))]
#[put("/places/{id}/point")]
async fn locate(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlaceId>,
    body: Body<PointInput>,
) -> Result<web::Json<PointView>, Problem> {
    let PointInput { lat, lng } = body.0;
    transact(&state, async |txn| set_point(&state, txn, &actor, *id, Point { lat, lng }).await).await?;
    Ok(web::Json(PointView { id: *id, lat, lng }))
}
