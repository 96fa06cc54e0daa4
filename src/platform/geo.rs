//! Points on the earth and how far they lie apart.
//!
//! Coordinates are GCJ-02, the system in which WeChat's map and `wx.getLocation({type: 'gcj02'})` give them. Those of WGS-84 lie up
//! to some hundred metres beside them in China; nothing is converted here.

/// The earth's mean radius in metres; taken as a ball it is exact to half a percent, which is less than a phone is.
const RADIUS: f64 = 6_371_000.0;
const MILLION: f64 = 1_000_000.0;

/// A point on the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// North of the equator.
    pub lat: f64,
    /// East of Greenwich.
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

/// A number rounded, for people to read and for statements; what does not fit is 0.
pub fn whole(number: f64) -> i64 {
    format!("{number:.0}").parse().unwrap_or_default()
}

impl Point {
    /// As it is stored: millionths of a degree, north and east. Nothing for what is no point.
    pub fn stored(self) -> Option<(i64, i64)> {
        stored(self.lat, 90.0).zip(stored(self.lng, 180.0))
    }

    /// What was stored.
    pub fn of_stored(lat_e6: i64, lng_e6: i64) -> Self {
        let degrees = |value: i64| i32::try_from(value).map_or(f64::NAN, f64::from) / MILLION;
        Self { lat: degrees(lat_e6), lng: degrees(lng_e6) }
    }

    /// Metres to another point along the surface (haversine).
    pub fn metres_to(self, other: Self) -> f64 {
        let (north, south) = (self.lat.to_radians(), other.lat.to_radians());
        let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let chord = half(other.lat - self.lat) + north.cos() * south.cos() * half(other.lng - self.lng);
        2.0 * RADIUS * chord.clamp(0.0, 1.0).sqrt().asin()
    }

    /// How long a degree of longitude is here, in thousandths of one of latitude: for comparing distances in a statement.
    pub fn narrowing(self) -> i64 {
        whole(self.lat.to_radians().cos() * 1000.0)
    }

    /// The corners of a box that holds everything within so many metres; nothing at the poles, where it would be no box.
    pub fn box_around(self, metres: f64) -> Option<(Self, Self)> {
        let lat = (metres / RADIUS).to_degrees();
        if self.lat.to_radians().cos() < 0.01 {
            return None;
        }
        // The box widens towards the pole: its northern edge decides.
        let edge = (self.lat.abs() + lat).to_radians().cos().max(0.001);
        let lng = lat / edge;
        Some((Self { lat: self.lat - lat, lng: self.lng - lng }, Self { lat: self.lat + lat, lng: self.lng + lng }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points() -> impl Strategy<Value = Point> {
        (-89.0..89.0, -180.0..180.0).prop_map(|(lat, lng)| Point { lat, lng })
    }

    #[test]
    fn known_distances_are_right() {
        // Wuhan to Beijing, about 1,050 km; the customs house 江汉关 and the Yellow Crane Tower, 3.9 km.
        let metres = Point { lat: 30.5928, lng: 114.3055 }.metres_to(Point { lat: 39.9042, lng: 116.4074 });
        assert!((metres - 1_052_000.0).abs() < 5_000.0, "{metres}");
        let metres = Point { lat: 30.5796, lng: 114.2903 }.metres_to(Point { lat: 30.5469, lng: 114.2971 });
        assert!((3_500.0..4_000.0).contains(&metres), "{metres}");
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_at_most_half_the_earth(one in points(), other in points()) {
            let there = one.metres_to(other);
            prop_assert!((there - other.metres_to(one)).abs() < 0.001);
            prop_assert!((0.0..=20_015_100.0).contains(&there));
            prop_assert!(one.metres_to(one) < 0.001);
        }

        #[test]
        fn what_lies_near_lies_in_the_box(lat in -80.0_f64..80.0, lng in -179.0_f64..179.0, north in -0.03_f64..0.03, east in -0.03_f64..0.03) {
            const REACH: f64 = 2000.0;
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
            let back = Point::of_stored(lat_e6, lng_e6);
            prop_assert!((back.lat - lat).abs() < 1e-6 && (back.lng - lng).abs() < 1e-6);
            let wrong = [91.0, f64::NAN].map(|lat| Point { lat, lng }.stored());
            prop_assert_eq!(wrong, [None, None]);
        }
    }
}
