//! Which places lie near a point.

use entities::ids::PlaceId;
use entities::places::{PlaceKind, place, point};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Place;
use crate::platform::geo::Point;
use crate::platform::http::Problem;

/// Points that one question looks at: a box of two kilometres holds some hundred buildings.
const LOOKED_AT: u64 = 2000;
/// How far a place may be, in metres.
const REACH: f64 = 2000.0;

/// Keeps where a place is, in the caller's transaction.
pub async fn locate(txn: &DatabaseTransaction, place: PlaceId, at: Point) -> Result<(), Problem> {
    let (lat_e6, lng_e6) = at.stored().ok_or_else(|| Problem::field("/lat", "degrees"))?;
    let row = point::ActiveModel { place_id: Set(place), lat_e6: Set(lat_e6), lng_e6: Set(lng_e6) };
    let moved = OnConflict::column(point::Column::PlaceId)
        .update_columns([point::Column::LatE6, point::Column::LngE6])
        .to_owned();
    point::Entity::insert(row).on_conflict(moved).exec_without_returning(txn).await?;
    Ok(())
}

/// Buildings, grids and communities within two kilometres of a point, nearest first, with their distance in metres.
pub(super) async fn near(
    connection: &impl ConnectionTrait,
    here: Point,
    limit: usize,
) -> Result<Vec<(Place, f64)>, Problem> {
    let Some(((south, west), (north, east))) =
        here.box_around(REACH).and_then(|(low, high)| low.stored().zip(high.stored()))
    else {
        return Ok(Vec::new());
    };
    let found = point::Entity::find()
        .filter(point::Column::LatE6.between(south, north))
        .filter(point::Column::LngE6.between(west, east))
        .order_by_asc(point::Column::PlaceId)
        .limit(LOOKED_AT)
        .all(connection)
        .await?;
    let mut near: Vec<_> = found
        .into_iter()
        .map(|row| (here.metres_to(Point::of_stored(row.lat_e6, row.lng_e6)), row.place_id))
        .filter(|(metres, _)| *metres <= REACH)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let places = place::Entity::find()
        .filter(place::Column::Id.is_in(near.iter().map(|(_, id)| *id)))
        .filter(place::Column::Kind.is_in([PlaceKind::Building, PlaceKind::Grid, PlaceKind::Community]))
        .all(connection)
        .await?;
    let named = near
        .into_iter()
        .filter_map(|(metres, id)| places.iter().find(|place| place.id == id).map(|place| (place.clone(), metres)));
    Ok(named.take(limit).collect())
}
