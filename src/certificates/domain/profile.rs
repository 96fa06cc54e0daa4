use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// As the document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
}

impl Sex {
    /// In Chinese.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }
}

/// By what somebody is identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// 居民身份证
    IdCard,
    /// 护照
    Passport,
    /// 港澳居民来往内地通行证
    HongKongMacauPermit,
    /// 台湾居民来往大陆通行证
    TaiwanPermit,
    /// 外国人永久居留身份证
    ResidencePermit,
}

impl DocumentType {
    /// In Chinese.
    pub const fn text(self) -> &'static str {
        match self {
            Self::IdCard => "居民身份证",
            Self::Passport => "护照",
            Self::HongKongMacauPermit => "港澳居民来往内地通行证",
            Self::TaiwanPermit => "台湾居民来往大陆通行证",
            Self::ResidencePermit => "外国人永久居留身份证",
        }
    }
}

/// What the ministry's certificate asks for of a volunteer beside name and phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// As the document says.
    pub sex: Sex,
    /// Date of birth.
    pub birth: NaiveDate,
    /// By what the person is identified.
    pub document_type: DocumentType,
    /// Its number, in full.
    pub document_number: String,
    /// 技能
    pub skills: Vec<String>,
}

impl Profile {
    /// What is wrong, by JSON pointer; an identity card's number says birth and sex as well, and has a check digit.
    pub fn mistakes(&self, today: NaiveDate) -> Vec<(&'static str, &'static str)> {
        let mut mistakes = Vec::new();
        if self.birth >= today || self.birth.year() < today.year() - 130 {
            mistakes.push(("/birth", "出生日期有误 / not a date of birth"));
        }
        let number = &self.document_number;
        let letters = number.chars().count();
        if self.document_type == DocumentType::IdCard {
            match IdCard::read(number) {
                None => mistakes.push(("/document_number", "身份证号码有误 / not an identity card's number")),
                Some(card) => {
                    if card.birth != self.birth {
                        mistakes.push(("/birth", "与身份证号码不符 / differs from the card's number"));
                    }
                    if card.sex != self.sex {
                        mistakes.push(("/sex", "与身份证号码不符 / differs from the card's number"));
                    }
                }
            }
        } else if !(5..=20).contains(&letters) || !number.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            mistakes.push(("/document_number", "5 至 20 位字母或数字 / 5 to 20 letters or digits"));
        }
        mistakes
    }
}

/// What the number of an identity card (GB 11643) says.
struct IdCard {
    birth: NaiveDate,
    sex: Sex,
}

impl IdCard {
    fn read(number: &str) -> Option<Self> {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
        let (body, check) = number.split_at_checked(17)?;
        let digits: Vec<u32> = body.chars().map(|letter| letter.to_digit(10)).collect::<Option<_>>()?;
        let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
        let expected = CHECKS.get(usize::try_from(sum % 11).ok()?)?;
        if digits.len() != 17 || check != expected.to_string() {
            return None;
        }
        let birth = NaiveDate::parse_from_str(body.get(6..14)?, "%Y%m%d").ok()?;
        let sex = if digits.get(16)? % 2 == 1 { Sex::Male } else { Sex::Female };
        Some(Self { birth, sex })
    }
}

/// A document's number with its first three and last four characters, or its last two if it is short.
pub fn masked_document(number: &str) -> String {
    let letters: Vec<char> = number.chars().collect();
    let (first, last) = if letters.len() >= 12 { (3, 4) } else { (0, 2) };
    let keep = |at: usize| at < first || at + last >= letters.len();
    letters.iter().enumerate().map(|(at, letter)| if keep(at) { *letter } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn profile(number: &str) -> Profile {
        Profile {
            sex: Sex::Female,
            birth: day("1949-12-31"),
            document_type: DocumentType::IdCard,
            document_number: number.to_owned(),
            skills: Vec::new(),
        }
    }

    fn pointers(profile: &Profile) -> Vec<&'static str> {
        profile.mistakes(day("2026-11-24")).into_iter().map(|(pointer, _)| pointer).collect()
    }

    // The number that the standard itself takes as its example.
    const EXAMPLE: &str = "11010519491231002X";

    #[test]
    fn the_standard_s_own_example_is_right() {
        assert_eq!(pointers(&profile(EXAMPLE)), [""; 0]);
        assert_eq!(pointers(&Profile { sex: Sex::Male, ..profile(EXAMPLE) }), ["/sex"]);
        assert_eq!(pointers(&Profile { birth: day("1949-12-30"), ..profile(EXAMPLE) }), ["/birth"]);
        for wrong in ["110105194912310021", "11010519491231002x", "1101051949123100２X", "", "11010519491331002X"] {
            assert_eq!(pointers(&profile(wrong)), ["/document_number"], "{wrong}");
        }
    }

    #[test]
    fn other_documents_have_no_check_digit() {
        let passport = |number: &str| Profile { document_type: DocumentType::Passport, ..profile(number) };
        assert_eq!(pointers(&passport("E12345678")), [""; 0]);
        assert_eq!(pointers(&passport("E1234")), [""; 0]);
        assert_eq!(pointers(&passport("E 1234")), ["/document_number"]);
        assert_eq!(pointers(&Profile { birth: day("2026-11-24"), ..passport("E12345678") }), ["/birth"]);
    }

    proptest! {
        #[test]
        fn any_single_wrong_digit_is_found(at in 0_usize..17, digit in 0_u32..10) {
            let mut letters: Vec<char> = EXAMPLE.chars().collect();
            let digit = char::from_digit(digit, 10).unwrap();
            prop_assume!(letters[at] != digit);
            letters[at] = digit;
            prop_assert!(IdCard::read(&letters.iter().collect::<String>()).is_none());
        }

        #[test]
        fn a_mask_hides_most_of_a_number(number in "[0-9A-Z]{5,20}") {
            let masked = masked_document(&number);
            prop_assert_eq!(masked.len(), number.len());
            let hidden = masked.chars().filter(|letter| *letter == '*').count();
            prop_assert!(hidden >= 3 && (number.len() < 12 || hidden >= 5));
        }
    }
}
