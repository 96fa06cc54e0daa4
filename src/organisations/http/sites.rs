use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, put, web};
use entities::ids::{OrganisationId, PlaceId, SiteId};
use entities::organisations::{SiteKind, site};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::organisations::service::sites::{self, Details};
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::geo::Point;
use crate::platform::http::{Body, Caller, Command, Outcome, Params, Problem, command, text, transact};
use crate::platform::opening::Opening;
use crate::platform::state::AppState;

/// How far is near without a word, and at most; metres.
const NEAR: i64 = 2_000;
const FARTHEST: i64 = 20_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(near).service(read).service(open).service(edit).service(close);
}

/// What something costs at a site.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Fee {
    /// 午餐
    #[garde(custom(text::line(40)))]
    name: String,
    /// 0 is free.
    #[garde(range(min = 0, max = 10_000_000))]
    fen: i64,
}

/// Where a service is given.
#[derive(Serialize, ToSchema)]
struct SiteView {
    id: SiteId,
    place_id: PlaceId,
    organisation_id: Option<OrganisationId>,
    kind: SiteKind,
    name: String,
    address: String,
    opening: Opening,
    /// `周一 09:00–12:00；…`
    opening_words: String,
    /// By China's clocks, now.
    open_now: bool,
    fees: Vec<Fee>,
    /// Degrees north, in millionths.
    lat_e6: i64,
    /// Degrees east, in millionths.
    lng_e6: i64,
    /// How far it is, as the crow flies; absent where nobody said from where.
    metres: Option<i64>,
}

fn view(state: &AppState, row: site::Model, metres: Option<i64>) -> Result<SiteView, Problem> {
    let internal = |error| Problem::from(Code::Internal).caused_by(error);
    let opening: Opening = serde_json::from_value(row.opening).map_err(internal)?;
    Ok(SiteView {
        open_now: opening.is_open(calendar::local(state.clock.now())),
        opening_words: opening.words(),
        opening,
        fees: serde_json::from_value(row.fees).map_err(internal)?,
        id: row.id,
        place_id: row.place_id,
        organisation_id: row.organisation_id,
        kind: row.kind,
        name: row.name,
        address: row.address,
        lat_e6: row.lat_e6,
        lng_e6: row.lng_e6,
        metres,
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NearParams {
    /// Degrees north: `30.61`.
    lat: f64,
    /// Degrees east: `114.3`.
    lng: f64,
    kind: Option<SiteKind>,
    /// Metres, 1 to 20000; 2000 without it.
    within: Option<i64>,
    /// Only those that are open now.
    #[serde(default)]
    open: bool,
}

/// Degrees of a query, at most so many either way.
fn degrees(value: f64, most: f64, pointer: &str) -> Result<f64, Problem> {
    if value.is_finite() && value.abs() <= most {
        Ok(value)
    } else {
        Err(Problem::field(pointer, format!("-{most} 至 {most} 度 / degrees")))
    }
}

/// Service sites near a point, nearest first; at most 50
#[utoipa::path(tag = "platforms", params(NearParams), responses((status = 200, body = [SiteView])))]
#[get("/sites/near")]
async fn near(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<NearParams>,
) -> Result<web::Json<Vec<SiteView>>, Problem> {
    let here = Point { lat: degrees(params.lat, 85.0, "?lat")?, lng: degrees(params.lng, 180.0, "?lng")? };
    let metres = params.within.unwrap_or(NEAR);
    if !(1..=FARTHEST).contains(&metres) {
        return Err(Problem::field("?within", format!("1 to {FARTHEST}")));
    }
    let rows = sites::near(state.db.read(), here, metres, params.kind).await?;
    let mut views = Vec::with_capacity(rows.len());
    for (row, metres) in rows {
        views.push(view(&state, row, Some(metres))?);
    }
    views.retain(|site| site.open_now || !params.open);
    Ok(web::Json(views))
}

/// One site
#[utoipa::path(tag = "platforms", responses((status = 200, body = SiteView)))]
#[get("/sites/{id}")]
async fn read(state: web::Data<AppState>, _: Caller, id: web::Path<SiteId>) -> Result<web::Json<SiteView>, Problem> {
    view(&state, sites::find(state.db.read(), *id).await?, None).map(web::Json)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeptSite {
    #[garde(skip)]
    place_id: PlaceId,
    /// Who gives the service.
    #[garde(skip)]
    organisation_id: Option<OrganisationId>,
    #[garde(skip)]
    kind: SiteKind,
    #[garde(custom(text::line(60)))]
    name: String,
    #[garde(custom(text::line(100)))]
    address: String,
    #[garde(custom(check_opening()))]
    opening: Opening,
    #[garde(length(max = 20), dive)]
    fees: Vec<Fee>,
    /// Degrees north, in millionths.
    #[garde(range(min = -85_000_000, max = 85_000_000))]
    lat_e6: i64,
    /// Degrees east, in millionths.
    #[garde(range(min = -180_000_000, max = 180_000_000))]
    lng_e6: i64,
}

fn check_opening() -> impl Fn(&Opening, &()) -> garde::Result {
    |opening, ()| opening.check().map_err(garde::Error::new)
}

impl KeptSite {
    fn details(&self) -> Result<Details<'_>, Problem> {
        let internal = |error| Problem::from(Code::Internal).caused_by(error);
        Ok(Details {
            place_id: self.place_id,
            organisation_id: self.organisation_id,
            kind: self.kind,
            name: &self.name,
            address: &self.address,
            opening: serde_json::to_value(&self.opening).map_err(internal)?,
            fees: serde_json::to_value(&self.fees).map_err(internal)?,
            at: (self.lat_e6, self.lng_e6),
        })
    }
}

/// Open a site, as staff of its place
#[utoipa::path(tag = "platforms", request_body = KeptSite, responses((status = 201, body = SiteView)))]
#[post("/sites")]
async fn open(state: web::Data<AppState>, actor: Actor, request: Command<KeptSite>) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = sites::keep(&state, txn, &actor, None, request.input.details()?).await?;
        view(&state, row, None)
    })
    .await
}

/// Write a site down anew, as staff of its place
#[utoipa::path(tag = "platforms", request_body = KeptSite, responses((status = 200, body = SiteView)))]
#[put("/sites/{id}")]
async fn edit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SiteId>,
    input: Body<KeptSite>,
) -> Result<web::Json<SiteView>, Problem> {
    let row = transact(&state, async |txn| sites::keep(&state, txn, &actor, Some(*id), input.details()?).await);
    view(&state, row.await?, None).map(web::Json)
}

/// Close a site for good, as staff of its place
#[utoipa::path(tag = "platforms", responses((status = 204)))]
#[delete("/sites/{id}")]
async fn close(state: web::Data<AppState>, actor: Actor, id: web::Path<SiteId>) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| sites::close(&state, txn, &actor, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
