//! How far a phone said it was from where people were expected: a hint for the leader that decides nothing.

use serde::{Deserialize, Serialize};

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

    proptest! {
        #[test]
        fn a_more_exact_position_never_takes_a_word_back(distance in 0.0..1000.0_f64, accuracy in 0.0..500.0_f64, better in 0.0..1.0_f64) {
            let (rough, fine) = (nearness(distance, accuracy, 200.0), nearness(distance, accuracy * better, 200.0));
            prop_assert!(rough == Nearness::Unclear || rough == fine);
        }
    }

    #[test]
    fn a_phone_that_knows_nothing_says_nothing() {
        assert_eq!(nearness(50.0, 20.0, 100.0), Nearness::Near);
        assert_eq!(nearness(50.0, 2_000.0, 100.0), Nearness::Unclear);
        assert_eq!(nearness(5_000.0, 2_000.0, 100.0), Nearness::Far);
    }
}
