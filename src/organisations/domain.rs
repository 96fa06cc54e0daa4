//! Rules without a database: credit codes, distances, the order of applicants.

use std::cmp::Reverse;

/// The letters of a credit code: no I, O, S, V, Z, which are easily taken for digits and one another.
const LETTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Whether a text is a unified social credit code 统一社会信用代码: 18 letters, the last of them a check (GB 32100-2015, whose
/// weights are the powers of 3 modulo 31).
pub fn is_credit_code(text: &str) -> bool {
    let values: Option<Vec<usize>> = text.chars().map(|letter| LETTERS.find(letter)).collect();
    let Some(values) = values.filter(|values| values.len() == 18) else { return false };
    let Some((check, rest)) = values.split_last() else { return false };
    let (sum, _) = rest.iter().fold((0, 1), |(sum, weight), value| (sum + value * weight, weight * 3 % 31));
    *check == (31 - sum % 31) % 31
}

/// A point on the earth in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Degrees north.
    pub lat_e6: i64,
    /// Degrees east.
    pub lng_e6: i64,
}

/// A millionth of a degree of a meridian is a ninth of a metre: 10,000 km are 90 degrees.
const PER_METRE: i64 = 9;

impl Point {
    /// How long a degree of longitude is here, in thousandths of one of latitude; never zero, so that poles divide too.
    pub fn narrowing(self) -> i64 {
        // The cosine by Bhaskara's formula, which is off by less than two thousandths.
        let degrees = self.lat_e6.abs() / 1_000_000;
        let square = degrees * degrees;
        (1000 * (32_400 - 4 * square) / (32_400 + square)).max(1)
    }

    /// Half the height and half the width of the box around a circle, in millionths of a degree.
    pub fn reach(self, metres: i64) -> (i64, i64) {
        let height = metres * PER_METRE;
        (height, height * 1000 / self.narrowing())
    }

    /// Metres to another point nearby, as the crow flies.
    pub fn metres(self, other: Self) -> i64 {
        let north = other.lat_e6 - self.lat_e6;
        let east = (other.lng_e6 - self.lng_e6) * self.narrowing() / 1000;
        (north * north + east * east).isqrt() / PER_METRE
    }
}

/// Applicants by the average of what they were given, best first; who applied first stands first among equals. Gives the
/// average in hundredths.
pub fn ranked<T: Copy + Ord>(applicants: impl IntoIterator<Item = (T, Vec<i64>)>) -> Vec<(T, i64)> {
    let average = |scores: &[i64]| {
        let count = i64::try_from(scores.len()).unwrap_or(i64::MAX).max(1);
        scores.iter().sum::<i64>() * 100 / count
    };
    let mut ranked: Vec<_> = applicants.into_iter().map(|(who, scores)| (who, average(&scores))).collect();
    ranked.sort_by_key(|(who, average)| (Reverse(*average), *who));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_credit_code_checks_itself() {
        // The standard's own example, and two of the demo's.
        for fine in ["91350100M000100Y43", "52420102DEM000001F", "52420102DEM0000072"] {
            assert!(is_credit_code(fine), "{fine}");
        }
        for wrong in [
            "",
            "91350100M000100Y44",
            "91350100M000100Y4",
            "91350100M000100Y433",
            "91350100m000100y43",
            "91350100I000100Y43",
        ] {
            assert!(!is_credit_code(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_letter_always_shows(rest in "[0-9A-HJ-NP-RTUW-Y]{17}", at in 0_usize..18, other in 0_usize..31) {
            let code: Vec<char> = LETTERS.chars().map(|last| format!("{rest}{last}")).find(|code| is_credit_code(code)).unwrap().chars().collect();
            let mut wrong = code.clone();
            wrong[at] = LETTERS.chars().nth(other).unwrap();
            prop_assert_eq!(is_credit_code(&wrong.iter().collect::<String>()), wrong == code);
        }

        #[test]
        fn whoever_is_near_lies_in_the_box(lat in -60_000_000_i64..60_000_000, lng in -170_000_000_i64..170_000_000, north in -40_000_i64..40_000, east in -40_000_i64..40_000) {
            let here = Point { lat_e6: lat, lng_e6: lng };
            let there = Point { lat_e6: lat + north, lng_e6: lng + east };
            let metres = here.metres(there);
            let (height, width) = here.reach(metres + 2);
            prop_assert!(north.abs() <= height && east.abs() <= width, "{metres} m, {height} {width}");
        }
    }

    #[test]
    fn distances_in_wuhan_are_right_within_a_hundredth() {
        let here = Point { lat_e6: 30_600_000, lng_e6: 114_300_000 };
        let north = here.metres(Point { lat_e6: 30_609_000, lng_e6: 114_300_000 });
        let east = here.metres(Point { lat_e6: 30_600_000, lng_e6: 114_310_000 });
        assert!((990..=1010).contains(&north), "{north}");
        // cos 30.6° · 111.3 km / 100
        assert!((945..=970).contains(&east), "{east}");
    }

    #[test]
    fn equals_stand_in_the_order_of_applying() {
        let ranked = ranked([(3, vec![80, 90]), (1, vec![70, 70]), (2, vec![85])]);
        assert_eq!(ranked, [(2, 8500), (3, 8500), (1, 7000)]);
    }
}
