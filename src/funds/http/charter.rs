use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::funds::{TariffKind, fund, tariff, vehicle};
use entities::ids::{FundId, HouseholdId, PlaceId, ProjectId, TariffId, UserId, VehicleId};
use garde::Validate;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::funds::domain;
use crate::funds::service::charter::{self, NewFund, NewVehicle, VehicleOwner};
use crate::funds::service::{find, is_officer, require_reader};
use crate::identity::{Actor, residence};
use crate::places;
use crate::platform::http::{Body, Caller, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

/// A million yuan: more is a slip of the pen.
pub(super) const MOST_FEN: i64 = 100_000_000;
/// So many tariffs are shown.
const TARIFFS: u64 = 100;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(found).service(list).service(read).service(appoint).service(set_tariff).service(end_tariff);
    config.service(keep_vehicle).service(vehicles).service(reveal).service(end_vehicle);
}

/// An association's money.
#[derive(Serialize, ToSchema)]
struct FundView {
    id: FundId,
    community_id: PlaceId,
    name: String,
    charter: String,
    /// The project whose services it takes money for.
    project_id: Option<ProjectId>,
    /// Takes money in, proposes what goes out.
    treasurer_id: UserId,
    /// Confirms it.
    auditor_id: UserId,
}

impl From<fund::Model> for FundView {
    fn from(row: fund::Model) -> Self {
        let fund::Model { id, community_id, name, charter, project_id, treasurer_id, auditor_id, .. } = row;
        Self { id, community_id, name, charter, project_id, treasurer_id, auditor_id }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct FoundedFund {
    /// A community.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    name: String,
    #[garde(custom(text::paragraph(5000)))]
    charter: String,
    #[garde(skip)]
    project_id: Option<ProjectId>,
    /// A verified resident of the community, or its staff.
    #[garde(skip)]
    treasurer_id: UserId,
    /// Somebody else, likewise.
    #[garde(skip)]
    auditor_id: UserId,
}

/// Found a self-governed fund, as staff of the community
#[utoipa::path(tag = "funds", request_body = FoundedFund, responses((status = 201, body = FundView)))]
#[post("/funds")]
async fn found(state: web::Data<AppState>, actor: Actor, request: Command<FoundedFund>) -> Result<Outcome, Problem> {
    let FoundedFund { place_id, name, charter, project_id, treasurer_id, auditor_id } = &request.input;
    let new = NewFund {
        place_id: *place_id,
        name,
        charter,
        project_id: *project_id,
        treasurer_id: *treasurer_id,
        auditor_id: *auditor_id,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        charter::found(&state, txn, &actor, &new).await.map(FundView::from)
    })
    .await
}

/// The funds of a place and of those below it, newest first
#[utoipa::path(tag = "funds", params(places::ListParams), responses((status = 200, body = Page<FundView>)))]
#[get("/funds")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<FundView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let there =
        fund::Entity::find().filter(places::listed_in(&place, fund::Column::CommunityId, fund::Column::PlacePath));
    let rows = paging.apply(there, fund::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, FundView::from)))
}

/// A fund with what things cost.
#[derive(Serialize, ToSchema)]
struct FundPage {
    #[serde(flatten)]
    fund: FundView,
    tariffs: Vec<TariffView>,
}

/// What something costs.
#[derive(Serialize, ToSchema)]
struct TariffView {
    id: TariffId,
    /// A vehicle's month, or a service at a low fee.
    kind: TariffKind,
    name: String,
    fen: i64,
}

impl From<tariff::Model> for TariffView {
    fn from(row: tariff::Model) -> Self {
        let tariff::Model { id, kind, name, fen, .. } = row;
        Self { id, kind, name, fen }
    }
}

/// One fund, its charter and what things cost
#[utoipa::path(tag = "funds", responses((status = 200, body = FundPage)))]
#[get("/funds/{id}")]
async fn read(state: web::Data<AppState>, _: Caller, id: web::Path<FundId>) -> Result<web::Json<FundPage>, Problem> {
    let row = find(state.db.read(), *id).await?;
    let tariffs = tariff::Entity::find()
        .filter(tariff::Column::FundId.eq(*id))
        .filter(tariff::Column::EndedAt.is_null())
        .order_by_asc(tariff::Column::Id)
        .limit(TARIFFS)
        .all(state.db.read())
        .await?;
    Ok(web::Json(FundPage { fund: row.into(), tariffs: tariffs.into_iter().map(TariffView::from).collect() }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct Officers {
    treasurer_id: UserId,
    auditor_id: UserId,
}

/// Name other officers, as staff of the community
#[utoipa::path(tag = "funds", request_body = Officers, responses((status = 200, body = FundView)))]
#[put("/funds/{id}/officers")]
async fn appoint(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    input: Body<Officers>,
) -> Result<web::Json<FundView>, Problem> {
    let two = (input.treasurer_id, input.auditor_id);
    let row = transact(&state, async |txn| charter::appoint(&state, txn, &actor, *id, two).await).await?;
    Ok(web::Json(row.into()))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTariff {
    #[garde(skip)]
    kind: TariffKind,
    #[garde(custom(text::line(40)))]
    name: String,
    #[garde(range(min = 1, max = MOST_FEN))]
    fen: i64,
}

/// Say what something costs from now on, as the treasurer
#[utoipa::path(tag = "funds", request_body = NewTariff, responses((status = 201, body = TariffView)))]
#[post("/funds/{id}/tariffs")]
async fn set_tariff(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    request: Command<NewTariff>,
) -> Result<Outcome, Problem> {
    let NewTariff { kind, name, fen } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        charter::set_tariff(&state, txn, &actor, *id, (*kind, name, *fen)).await.map(TariffView::from)
    })
    .await
}

/// End a tariff, as the treasurer
#[utoipa::path(tag = "funds", responses((status = 204)))]
#[delete("/funds/{id}/tariffs/{tariff_id}")]
async fn end_tariff(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, TariffId)>,
) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| charter::end_tariff(&state, txn, &actor, *ids).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A vehicle of a fund's register.
#[derive(Serialize, ToSchema)]
struct VehicleView {
    id: VehicleId,
    /// Masked: `鄂A***45`.
    plate: String,
    owner_id: Option<UserId>,
    household_id: Option<HouseholdId>,
    ended_at: Option<DateTime<Utc>>,
}

fn vehicle_view(state: &AppState, row: vehicle::Model) -> Result<VehicleView, Problem> {
    Ok(VehicleView {
        plate: domain::masked_plate(&charter::plate_of(state, &row)?),
        id: row.id,
        owner_id: row.owner_id,
        household_id: row.household_id,
        ended_at: row.ended_at,
    })
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeptVehicle {
    /// As it is read: `鄂A·12345`. Encrypted.
    #[garde(custom(text::line(16)))]
    plate: String,
    /// A verified resident of the community …
    #[garde(skip)]
    owner_id: Option<UserId>,
    /// … or a door of it.
    #[garde(skip)]
    household_id: Option<HouseholdId>,
}

/// Enter a vehicle into the register, as the treasurer
#[utoipa::path(tag = "funds", request_body = KeptVehicle, responses((status = 201, body = VehicleView)))]
#[post("/funds/{id}/vehicles")]
async fn keep_vehicle(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    request: Command<KeptVehicle>,
) -> Result<Outcome, Problem> {
    let KeptVehicle { plate, owner_id, household_id } = &request.input;
    let owner = match (owner_id, household_id) {
        (Some(person), None) => VehicleOwner::Person(*person),
        (None, Some(door)) => VehicleOwner::Household(*door),
        _ => return Err(Problem::field("/owner_id", "须为一人或一户 / must be a person or a door")),
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = charter::keep_vehicle(&state, txn, &actor, *id, &NewVehicle { plate, owner }).await?;
        vehicle_view(&state, row)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VehicleParams {
    /// The vehicle with this plate.
    plate: Option<String>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// The register: all of it for the officers, one's own and one's household's for residents
#[utoipa::path(tag = "funds", params(VehicleParams), responses((status = 200, body = Page<VehicleView>)))]
#[get("/funds/{id}/vehicles")]
async fn vehicles(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FundId>,
    params: Params<VehicleParams>,
) -> Result<web::Json<Page<VehicleView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let fund = require_reader(connection, &actor, *id).await?;
    let mut rows = vehicle::Entity::find().filter(vehicle::Column::FundId.eq(*id));
    if !is_officer(&fund, actor.user_id) {
        let mut own = Condition::any().add(vehicle::Column::OwnerId.eq(actor.user_id));
        if let Some(home) = residence(connection, actor.user_id).await? {
            own = own.add(vehicle::Column::HouseholdId.eq(home.household_id));
        }
        rows = rows.filter(own);
    }
    if let Some(plate) = &params.plate {
        let plate =
            domain::plate(plate).ok_or_else(|| Problem::field("?plate", "须为车牌号 / must be a number plate"))?;
        rows = rows.filter(vehicle::Column::PlateHash.eq(charter::plate_hash(&state, *id, &plate)));
    }
    let rows = paging.apply(rows, vehicle::Column::Id).all(connection).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = items.into_iter().map(|row| vehicle_view(&state, row)).collect::<Result<_, _>>()?;
    Ok(web::Json(Page { items, next_cursor }))
}

/// A plate in full.
#[derive(Serialize, ToSchema)]
struct Plate {
    plate: String,
}

/// A vehicle's plate in full, for the officers; each look is audited
#[utoipa::path(tag = "funds", responses((status = 200, body = Plate)))]
#[get("/funds/{id}/vehicles/{vehicle_id}/plate")]
async fn reveal(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, VehicleId)>,
) -> Result<web::Json<Plate>, Problem> {
    let plate = transact(&state, async |txn| charter::reveal(&state, txn, &actor, *ids).await).await?;
    Ok(web::Json(Plate { plate }))
}

/// Take a vehicle off the register, as the treasurer; what it paid stays
#[utoipa::path(tag = "funds", responses((status = 204)))]
#[delete("/funds/{id}/vehicles/{vehicle_id}")]
async fn end_vehicle(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(FundId, VehicleId)>,
) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| charter::end_vehicle(&state, txn, &actor, *ids).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
