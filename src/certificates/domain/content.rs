use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Everything that a certificate says. It is kept as it was said: fields are only ever added, with `#[serde(default)]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names and the printed form say it")]
pub struct Content {
    pub serial: String,
    pub code: String,
    /// What the square code leads to.
    pub check_url: String,
    pub issued_on: NaiveDate,
    pub name: String,
    pub sex: String,
    pub birth: NaiveDate,
    pub document_type: String,
    /// Masked.
    pub document_number: String,
    pub volunteer_number: String,
    pub skills: Vec<String>,
    /// The volunteer's, masked.
    pub phone: String,
    pub community: String,
    pub minutes: i64,
    pub entries: Vec<Entry>,
    pub issuer: String,
    pub responsible: String,
    pub handler: String,
    /// The issuer's.
    pub contact: String,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names and the printed form say it")]
pub struct Entry {
    pub activity: String,
    pub date: NaiveDate,
    pub place: String,
    pub people_served: Option<i32>,
    pub content: String,
    pub minutes: i64,
    /// Whether the minutes are a corrected figure.
    pub corrected: bool,
    pub rating: Option<i32>,
    pub responsible: String,
    pub recorded_by: String,
}

/// `12小时5分钟`.
pub fn duration_text(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}分钟"),
        (hours, 0) => format!("{hours}小时"),
        (hours, minutes) => format!("{hours}小时{minutes}分钟"),
    }
}

/// A certificate's number: `JIANGAN-CHEZHAN-GUANGHUA-2026-000001`. Paths are unique, so that numbers are.
pub fn serial(path: &str, year: i32, seq: i64) -> String {
    format!("{}-{year}-{seq:06}", place_word(path))
}

/// `/jiangan/chezhan/guanghua/` as `JIANGAN-CHEZHAN-GUANGHUA`.
fn place_word(path: &str) -> String {
    path.trim_matches('/').replace('/', "-").to_uppercase()
}

impl Content {
    /// A volunteer's number: `JIANGAN-CHEZHAN-GUANGHUA-V000012`.
    pub fn volunteer_number(path: &str, seq: i64) -> String {
        format!("{}-V{seq:06}", place_word(path))
    }
}

/// Letters of a code: none that is mistaken for another when read out or typed (Crockford's base 32).
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// A code of 16 letters in groups of four, `7K3M-…`, of 10 random bytes.
pub fn check_code(random: [u8; 10]) -> String {
    let all = random.iter().fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
    let mut code = String::with_capacity(19);
    for at in 0..16 {
        if at > 0 && at % 4 == 0 {
            code.push('-');
        }
        let letter = usize::try_from(all >> (75 - 5 * at) & 31).unwrap_or_default();
        code.extend(ALPHABET.get(letter));
    }
    code
}

/// A code as somebody typed it, in its normal form; nothing if it cannot be one.
pub fn normal_code(typed: &str) -> Option<String> {
    let letters =
        typed.chars().filter(|letter| !matches!(letter, '-' | ' ')).map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        });
    let letters: Vec<char> = letters.collect();
    if letters.len() != 16 || !letters.iter().all(|letter| ALPHABET.contains(letter)) {
        return None;
    }
    Some(letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn a_code_is_read_however_it_is_typed(random in any::<[u8; 10]>()) {
            let code = check_code(random);
            prop_assert_eq!(code.len(), 19);
            prop_assert_eq!(normal_code(&code), Some(code.clone()));
            let typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(normal_code(&typed), Some(code));
        }

        #[test]
        fn different_bytes_make_different_codes(one in any::<[u8; 10]>(), other in any::<[u8; 10]>()) {
            prop_assert_eq!(one == other, check_code(one) == check_code(other));
        }
    }

    #[test]
    fn all_letters_are_used_and_none_twice() {
        assert_eq!(ALPHABET.iter().collect::<HashSet<_>>().len(), 32);
        assert_eq!(check_code([0xff; 10]), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
        for wrong in ["", "7K3M", "7K3M-7K3M-7K3M-7K3U", "7K3M-7K3M-7K3M-7K3M-7"] {
            assert_eq!(normal_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn texts() {
        assert_eq!([59, 60, 725].map(duration_text), ["59分钟", "1小时", "12小时5分钟"]);
        assert_eq!(serial("/jiangan/chezhan/guanghua/", 2026, 7), "JIANGAN-CHEZHAN-GUANGHUA-2026-000007");
        assert_eq!(Content::volunteer_number("/jiangan/chezhan/guanghua/", 7), "JIANGAN-CHEZHAN-GUANGHUA-V000007");
    }
}
