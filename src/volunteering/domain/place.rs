//! How far a phone said it was from where people were expected: a hint for the leader that decides nothing.

use serde::{Deserialize, Serialize};

/// A point on the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
}

/// What a phone's position says of its distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nearness {
    /// Within the radius, however inexact the position is.
    Near,
    /// Outside of it, however inexact the position is.
    Far,
    /// The position is too inexact to say.
    Unclear,
}

/// Metres along the earth's surface, taken as a ball: exact to half a percent, which is less than a phone is.
pub fn distance_m(one: Point, other: Point) -> f64 {
    const EARTH_M: f64 = 6_371_000.0;
    let (north, south) = (one.latitude.to_radians(), other.latitude.to_radians());
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let chord = half(other.latitude - one.latitude) + north.cos() * south.cos() * half(other.longitude - one.longitude);
    2.0 * EARTH_M * chord.clamp(0.0, 1.0).sqrt().asin()
}

/// Whether somebody at a distance is within a radius, as far as the phone's accuracy (metres) lets one say.
pub fn nearness(distance_m: f64, accuracy_m: f64, radius_m: f64) -> Nearness {
    if distance_m + accuracy_m <= radius_m {
        Nearness::Near
    } else if distance_m - accuracy_m > radius_m {
        Nearness::Far
    } else {
        Nearness::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points() -> impl Strategy<Value = Point> {
        (-89.0..89.0, -180.0..180.0).prop_map(|(latitude, longitude)| Point { latitude, longitude })
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_at_most_half_the_earth(one in points(), other in points()) {
            let there = distance_m(one, other);
            prop_assert!((there - distance_m(other, one)).abs() < 0.001);
            prop_assert!((0.0..=20_015_100.0).contains(&there));
            prop_assert!(distance_m(one, one) < 0.001);
        }

        #[test]
        fn a_more_exact_position_never_takes_a_word_back(distance in 0.0..1000.0_f64, accuracy in 0.0..500.0_f64, better in 0.0..1.0_f64) {
            let (rough, fine) = (nearness(distance, accuracy, 200.0), nearness(distance, accuracy * better, 200.0));
            prop_assert!(rough == Nearness::Unclear || rough == fine);
        }
    }

    #[test]
    fn a_known_distance() {
        // The customs house 江汉关 and the Yellow Crane Tower lie 3.9 km apart.
        let (one, other) =
            (Point { latitude: 30.5796, longitude: 114.2903 }, Point { latitude: 30.5469, longitude: 114.2971 });
        assert!((3_500.0..4_000.0).contains(&distance_m(one, other)), "{}", distance_m(one, other));
    }

    #[test]
    fn a_phone_that_knows_nothing_says_nothing() {
        assert_eq!(nearness(50.0, 20.0, 100.0), Nearness::Near);
        assert_eq!(nearness(50.0, 2_000.0, 100.0), Nearness::Unclear);
        assert_eq!(nearness(5_000.0, 2_000.0, 100.0), Nearness::Far);
    }
}
