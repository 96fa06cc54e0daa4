//! Which places lie near a point.
//!
//! Coordinates are GCJ-02, the system in which WeChat's map and `wx.getLocation({type: 'gcj02'})` give them. Those of WGS-84 lie up
//! to some hundred metres beside them in China; nothing is converted here.

use std::f64::consts::PI;

use entities::ids::PlaceId;
use entities::places::{PlaceKind, place, point};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use super::Place;
use crate::platform::http::Problem;

/// Points that one question looks at: a box of two kilometres holds some hundred buildings.
const LOOKED_AT: u64 = 2000;
/// How far a place may be, in metres.
const REACH: f64 = 2000.0;
/// The Earth's mean radius in metres.
const RADIUS: f64 = 6_371_000.0;
const MILLION: f64 = 1_000_000.0;

/// A point on the Earth, in degrees of GCJ-02.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// North.
    pub lat: f64,
    /// East.
    pub lng: f64,
}

/// Degrees as they are stored. Out of range is nothing.
fn stored(degrees: f64, most: f64) -> Option<i64> {
    if !degrees.is_finite() || degrees.abs() > most {
        return None;
    }
    // The bound above makes the text short and the parsing certain.
    format!("{:.0}", degrees * MILLION).parse().ok()
}

impl Point {
    /// As it is stored: millionths of a degree, north and east.
    pub fn stored(self) -> Option<(i64, i64)> {
        stored(self.lat, 90.0).zip(stored(self.lng, 180.0))
    }

    fn of(row: &point::Model) -> Self {
        let degrees = |value: i64| i32::try_from(value).map_or(f64::NAN, f64::from) / MILLION;
        Self { lat: degrees(row.lat_e6), lng: degrees(row.lng_e6) }
    }

    /// The distance to another point along a great circle, in metres (haversine).
    pub fn metres_to(self, other: Self) -> f64 {
        let radians = |degrees: f64| degrees * PI / 180.0;
        let (lat, lng) = (radians(other.lat - self.lat), radians(other.lng - self.lng));
        let half =
            (lat / 2.0).sin().powi(2) + radians(self.lat).cos() * radians(other.lat).cos() * (lng / 2.0).sin().powi(2);
        2.0 * RADIUS * half.clamp(0.0, 1.0).sqrt().asin()
    }

    /// The corners of a box that holds everything within so many metres; nothing at the poles, where it would be no box.
    fn box_around(self, metres: f64) -> Option<(Self, Self)> {
        let lat = metres / RADIUS * 180.0 / PI;
        let shrink = (self.lat * PI / 180.0).cos();
        if shrink < 0.01 {
            return None;
        }
        // The box widens towards the pole: its northern edge decides.
        let edge = ((self.lat.abs() + lat) * PI / 180.0).cos().max(0.001);
        let lng = lat / edge;
        Some((Self { lat: self.lat - lat, lng: self.lng - lng }, Self { lat: self.lat + lat, lng: self.lng + lng }))
    }
}

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
        .map(|row| (here.metres_to(Point::of(&row)), row.place_id))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_known_distance_is_right() {
        // Wuhan to Beijing, about 1,050 km.
        let metres = Point { lat: 30.5928, lng: 114.3055 }.metres_to(Point { lat: 39.9042, lng: 116.4074 });
        assert!((metres - 1_052_000.0).abs() < 5_000.0, "{metres}");
    }

    proptest! {
        #[test]
        fn what_lies_near_lies_in_the_box(lat in -80.0_f64..80.0, lng in -179.0_f64..179.0, north in -0.03_f64..0.03, east in -0.03_f64..0.03) {
            let here = Point { lat, lng };
            let there = Point { lat: lat + north, lng: lng + east };
            let (low, high) = here.box_around(REACH).unwrap();
            if here.metres_to(there) <= REACH {
                prop_assert!(low.lat <= there.lat && there.lat <= high.lat && low.lng <= there.lng && there.lng <= high.lng);
            }
            prop_assert!((here.metres_to(there) - there.metres_to(here)).abs() < 0.001);
        }

        #[test]
        fn a_point_is_stored_within_a_hand(lat in -90.0_f64..90.0, lng in -180.0_f64..180.0) {
            let (lat_e6, lng_e6) = Point { lat, lng }.stored().unwrap();
            let back = Point::of(&point::Model { place_id: uuid::Uuid::nil().into(), lat_e6, lng_e6 });
            prop_assert!((back.lat - lat).abs() < 1e-6 && (back.lng - lng).abs() < 1e-6);
            let wrong = [91.0, f64::NAN].map(|lat| Point { lat, lng }.stored());
            prop_assert_eq!(wrong, [None, None]);
        }
    }
}
