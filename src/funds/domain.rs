//! Plates, and what a month's books say.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::platform::money::yuan_and_fen;

/// A number plate in the one way in which it is kept: `鄂A12345`; nothing for what is none.
pub fn plate(text: &str) -> Option<String> {
    let plate: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '·' | '•' | '.' | '-'))
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    let mut letters = plate.chars();
    let province = letters.next().filter(|letter| ('\u{4e00}'..='\u{9fff}').contains(letter));
    let authority = letters.next().filter(char::is_ascii_uppercase);
    // Five letters and digits, six on electric cars; some kinds end with a word such as 挂 or 警.
    let rest: Vec<char> = letters.collect();
    let (last, front) = rest.split_last()?;
    let fine = (5..=6).contains(&rest.len())
        && front.iter().all(char::is_ascii_alphanumeric)
        && (last.is_ascii_alphanumeric() || "挂学警港澳使领".contains(*last));
    (province.is_some() && authority.is_some() && fine).then_some(plate)
}

/// `鄂A12345` as `鄂A***45`.
pub fn masked_plate(plate: &str) -> String {
    let letters: Vec<char> = plate.chars().collect();
    let keep = |at: usize| at < 2 || at + 2 >= letters.len();
    letters.iter().enumerate().map(|(at, letter)| if keep(at) { *letter } else { '*' }).collect()
}

/// What moved for one purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// How often.
    pub count: i64,
    /// How much.
    pub fen: i64,
}

/// What a fund's books say of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Books {
    /// What was there when it began.
    pub opening_fen: i64,
    /// In: fees of vehicles.
    pub fees: Line,
    /// In: services at a low fee.
    pub services: Line,
    /// In: donations.
    pub donations: Line,
    /// In: expenses taken back.
    pub paid_back: Line,
    /// Out: subsidies to volunteers.
    pub subsidies: Line,
    /// Out: other expenses.
    pub expenses: Line,
    /// Out: receipts taken back.
    pub refunds: Line,
    /// What was there when it ended, or is there now.
    pub closing_fen: i64,
}

impl Books {
    /// Whether what came in and went out leads from the opening to the closing.
    pub fn add_up(&self) -> bool {
        let income = self.fees.fen + self.services.fen + self.donations.fen + self.paid_back.fen;
        let outgo = self.subsidies.fen + self.expenses.fen + self.refunds.fen;
        self.opening_fen + income - outgo == self.closing_fen
    }

    /// As residents read it on the board: sums only, and how many they are made of.
    pub fn words(&self) -> String {
        let mut words = format!("期初结余 {} 元。\n", yuan_and_fen(self.opening_fen));
        for (name, line) in [
            ("收入·停车等收费", self.fees),
            ("收入·低偿服务", self.services),
            ("收入·捐赠", self.donations),
            ("收入·支出冲回", self.paid_back),
            ("支出·补贴", self.subsidies),
            ("支出·其他", self.expenses),
            ("支出·收款冲回", self.refunds),
        ] {
            if line.count > 0 {
                // Writing to a String cannot fail.
                let _ = writeln!(words, "{name} {} 笔，{} 元。", line.count, yuan_and_fen(line.fen));
            }
        }
        let _ = write!(words, "期末结余 {} 元。", yuan_and_fen(self.closing_fen));
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plate_is_kept_in_one_way() {
        for text in ["鄂A12345", "鄂a·12345", " 鄂A 123-45 "] {
            assert_eq!(plate(text).unwrap(), "鄂A12345", "{text}");
        }
        assert_eq!(plate("鄂AD12345").unwrap(), "鄂AD12345");
        assert_eq!(plate("鄂A1234挂").unwrap(), "鄂A1234挂");
        for wrong in ["", "鄂", "A12345", "鄂112345", "鄂A1234", "鄂A1234567", "鄂A12挂45", "鄂A12 3４5"] {
            assert_eq!(plate(wrong), None, "{wrong}");
        }
        assert_eq!(masked_plate("鄂A12345"), "鄂A***45");
        assert_eq!(masked_plate("鄂AD12345"), "鄂A****45");
    }

    #[test]
    fn books_are_read_in_yuan() {
        let line = |count, fen| Line { count, fen };
        let books = Books {
            opening_fen: 12_345,
            fees: line(2, 10_000),
            subsidies: line(1, 5_005),
            closing_fen: 17_340,
            ..Books::default()
        };
        assert!(books.add_up());
        assert_eq!(
            books.words(),
            "期初结余 123.45 元。\n收入·停车等收费 2 笔，100.00 元。\n支出·补贴 1 笔，50.05 元。\n期末结余 173.40 元。"
        );
        assert!(!Books { closing_fen: 17_341, ..books }.add_up());
    }

    proptest! {
        #[test]
        fn a_masked_plate_never_shows_its_middle(middle in "[A-Z0-9]{1,2}", rest in "[A-Z0-9]{4}") {
            let whole = plate(&format!("鄂A{middle}{rest}")).unwrap();
            let masked = masked_plate(&whole);
            prop_assert_eq!(masked.chars().count(), whole.chars().count());
            prop_assert!(masked.chars().filter(|letter| *letter == '*').count() == whole.chars().count() - 4);
        }
    }
}
