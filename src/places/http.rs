use actix_web::{get, web};
use entities::ids::PlaceId;
use entities::places::{PlaceKind, place};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::find;
use crate::platform::geo::{self, Point};
use crate::platform::http::{Caller, Page, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    // Before `/places/{id}`, which would take `near` for an id.
    config.service(list).service(near).service(read);
}

/// A place of the tree.
#[derive(Serialize, ToSchema)]
struct PlaceView {
    id: PlaceId,
    parent_id: Option<PlaceId>,
    kind: PlaceKind,
    name: String,
    /// The community it is or lies in.
    community_id: Option<PlaceId>,
}

impl From<place::Model> for PlaceView {
    fn from(place: place::Model) -> Self {
        let place::Model { id, parent_id, kind, name, community_id, .. } = place;
        Self { id, parent_id, kind, name, community_id }
    }
}

/// `?place_id=&cursor=&limit=` of a list of what a place has.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// This place and those below it.
    pub place_id: PlaceId,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// 1 to 100; 20 without it.
    pub limit: Option<u64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Children {
    /// Whose children; the districts without it.
    parent_id: Option<PlaceId>,
}

/// The children of a place, in the order of their codes
#[utoipa::path(tag = "places", params(Children), responses((status = 200, body = Page<PlaceView>)))]
#[get("/places")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<Children>,
) -> Result<web::Json<Page<PlaceView>>, Problem> {
    let children = match params.parent_id {
        Some(parent) => place::Column::ParentId.eq(parent),
        None => place::Column::ParentId.is_null(),
    };
    // The largest real node (a community's buildings) has some hundreds of children.
    let rows = place::Entity::find()
        .filter(children)
        .order_by_asc(place::Column::Code)
        .limit(1000)
        .all(state.db.read())
        .await?;
    Ok(web::Json(Page { items: rows.into_iter().map(PlaceView::from).collect(), next_cursor: None }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NearParams {
    /// Degrees north, GCJ-02: `wx.getLocation({type: 'gcj02'})`.
    lat: f64,
    /// Degrees east, GCJ-02.
    lng: f64,
    /// 1 to 50; 20 without it.
    limit: Option<usize>,
}

/// A place and how far it is.
#[derive(Serialize, ToSchema)]
struct NearView {
    #[serde(flatten)]
    place: PlaceView,
    metres: i64,
}

/// Communities, grids and buildings within two kilometres of a point, nearest first
///
/// Only those whose coordinates somebody has set (`PUT /places/{id}/point`).
#[utoipa::path(tag = "places", params(NearParams), responses((status = 200, body = Page<NearView>)))]
#[get("/places/near")]
async fn near(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<NearParams>,
) -> Result<web::Json<Page<NearView>>, Problem> {
    let here = Point { lat: params.lat, lng: params.lng };
    if here.stored().is_none() {
        return Err(Problem::field("?lat", "lat −90 至 90，lng −180 至 180 / degrees"));
    }
    let limit = params.limit.unwrap_or(20);
    if !(1..=50).contains(&limit) {
        return Err(Problem::field("?limit", "1 to 50"));
    }
    let found = super::near::near(state.db.read(), here, limit).await?;
    let items = found.into_iter().map(|(place, metres)| NearView { place: place.into(), metres: geo::whole(metres) });
    Ok(web::Json(Page { items: items.collect(), next_cursor: None }))
}

/// One place
#[utoipa::path(tag = "places", responses((status = 200, body = PlaceView)))]
#[get("/places/{id}")]
async fn read(state: web::Data<AppState>, _: Caller, id: web::Path<PlaceId>) -> Result<web::Json<PlaceView>, Problem> {
    Ok(web::Json(find(state.db.read(), *id).await?.into()))
}
