use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::identity::residency;
use entities::ids::{PlaceId, ResidencyId, UserId};
use entities::places::{household, place};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::service::{self, Application};
use crate::identity::{Actor, Permission, ResidencyState};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(apply).service(applications).service(application).service(approve).service(reject);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewResidency {
    #[garde(skip)]
    building_id: PlaceId,
    /// 单元
    #[garde(custom(text::line(10)))]
    unit: String,
    /// 室
    #[garde(custom(text::line(10)))]
    room: String,
    #[garde(custom(text::line(30)))]
    real_name: String,
    /// What WeChat's phone button gave; exchanged for the number on the server.
    #[garde(custom(text::line(128)))]
    phone_code: String,
}

/// An application for residency.
#[derive(Serialize, ToSchema)]
struct ResidencyView {
    id: ResidencyId,
    state: ResidencyState,
    user_id: UserId,
    building_id: PlaceId,
    building: String,
    unit: String,
    room: String,
    /// Masked in lists.
    real_name: String,
    /// Masked in lists.
    phone: String,
    applied_at: DateTime<Utc>,
    reject_reason: Option<String>,
}

/// Apply for residency behind a door
#[utoipa::path(tag = "identity", request_body = NewResidency, responses((status = 201, body = ResidencyState)))]
#[post("/residencies")]
async fn apply(state: web::Data<AppState>, actor: Actor, request: Command<NewResidency>) -> Result<Outcome, Problem> {
    let NewResidency { building_id, unit, room, real_name, phone_code } = &request.input;
    // WeChat is asked before the transaction: no lock is held over the network. A code is good once, so that a repeated key
    // must find its answer first.
    if let Some(earlier) = crate::platform::http::command::replay(&state, actor.user_id, &request.key).await? {
        return Ok(earlier);
    }
    let phone = service::phone_number(&state, phone_code).await?;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let claim = Application { building_id: *building_id, unit, room, real_name, phone: &phone };
        service::apply(&state, txn, &actor, claim).await.map(Decided::from)
    })
    .await
}

/// Where an application stands.
#[derive(Serialize, ToSchema)]
struct Decided {
    id: ResidencyId,
    state: ResidencyState,
    place_id: PlaceId,
}

impl From<residency::Model> for Decided {
    fn from(row: residency::Model) -> Self {
        Self { id: row.id, state: row.state, place_id: row.building_id }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ApplicationParams {
    /// `pending` without it.
    state: Option<ResidencyState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Applications in the places that one may verify, names and numbers masked
#[utoipa::path(tag = "identity", params(ApplicationParams), responses((status = 200, body = Page<ResidencyView>)))]
#[get("/residencies")]
async fn applications(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ApplicationParams>,
) -> Result<web::Json<Page<ResidencyView>>, Problem> {
    let paths = actor.require_somewhere(Permission::VerifyResidents)?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mine = residency::Entity::find()
        .filter(residency::Column::State.eq(params.state.unwrap_or(ResidencyState::Pending)))
        .filter(places::within_any(residency::Column::PlacePath, paths));
    let rows = paging.apply(mine, residency::Column::Id).all(state.db.read()).await?;
    let doors = household::Entity::find().filter(household::Column::Id.is_in(rows.iter().map(|row| row.household_id)));
    let doors = doors.all(state.db.read()).await?;
    let buildings = place::Entity::find().filter(place::Column::Id.is_in(rows.iter().map(|row| row.building_id)));
    let buildings = buildings.all(state.db.read()).await?;
    let views = rows.into_iter().map(|row| {
        let (name, phone) = service::personal(&state, &row)?;
        let door = doors.iter().find(|door| door.id == row.household_id).ok_or(Code::Internal)?;
        let building = buildings.iter().find(|place| place.id == row.building_id).ok_or(Code::Internal)?;
        Ok(view(row, door, building, service::masked_name(&name), service::masked_phone(&phone)))
    });
    let views = views.collect::<Result<Vec<_>, Problem>>()?;
    Ok(web::Json(paging.page(&state.keys, views, |view| view.id.0, |view| view)))
}

fn view(
    row: residency::Model,
    door: &household::Model,
    building: &place::Model,
    real_name: String,
    phone: String,
) -> ResidencyView {
    ResidencyView {
        id: row.id,
        state: row.state,
        user_id: row.user_id,
        building_id: row.building_id,
        building: building.name.clone(),
        unit: door.unit.clone(),
        room: door.room.clone(),
        real_name,
        phone,
        applied_at: row.applied_at,
        reject_reason: row.reject_reason,
    }
}

/// One application with name and number in full; each look is audited
#[utoipa::path(tag = "identity", responses((status = 200, body = ResidencyView)))]
#[get("/residencies/{id}")]
async fn application(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ResidencyId>,
) -> Result<web::Json<ResidencyView>, Problem> {
    let (row, door, name, phone) = service::reveal(&state, &actor, *id).await?;
    let building = places::find(state.db.read(), row.building_id).await?;
    Ok(web::Json(view(row, &door, &building, name, phone)))
}

/// Confirm that somebody lives where they say
#[utoipa::path(tag = "identity", responses((status = 200, body = Decided)))]
#[post("/residencies/{id}/approve")]
async fn approve(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ResidencyId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::decide(&state, txn, &actor, *id, None).await.map(Decided::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refusal {
    /// The applicant reads it.
    #[garde(custom(text::paragraph(200)))]
    reason: String,
}

/// Refuse an application, with a reason that the applicant reads
#[utoipa::path(tag = "identity", request_body = Refusal, responses((status = 200, body = Decided)))]
#[post("/residencies/{id}/reject")]
async fn reject(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ResidencyId>,
    request: Command<Refusal>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::decide(&state, txn, &actor, *id, Some(request.input.reason.trim())).await.map(Decided::from)
    })
    .await
}
