//! Rules without a database: credit codes, the order of applicants.

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
    }

    #[test]
    fn equals_stand_in_the_order_of_applying() {
        let ranked = ranked([(3, vec![80, 90]), (1, vec![70, 70]), (2, vec![85])]);
        assert_eq!(ranked, [(2, 8500), (3, 8500), (1, 7000)]);
    }
}
