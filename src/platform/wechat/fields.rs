//! Makes texts fit into the fields of a subscribe message: WeChat refuses the whole message (47003) for one character
//! too many, and a message that is cut is better than none.

/// Stands where nothing is left and WeChat would refuse an empty value.
const NOTHING: &str = "无";

/// The value, changed as little as the field's type asks for. The type is the key without its index: `thing1`, `time2`.
/// Times, dates and amounts are not cut: a part of one would be a lie.
pub(super) fn fit(key: &str, value: &str) -> String {
    let value = clean(value);
    match key.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "number" => keep(&decimal(&value), 32, |_| true, "0"),
        "letter" => keep(&value, 32, |c| c.is_ascii_alphabetic(), "NA"),
        "symbol" => keep(&value, 5, |c| !c.is_alphanumeric() && !c.is_whitespace(), "-"),
        "character_string" => keep(&value, 32, |c| c.is_ascii_graphic() || c == ' ', "-"),
        "phone_number" => keep(&value, 17, |c| c.is_ascii_digit() || "+-() ".contains(c), "0"),
        "car_number" => keep(&value, 8, |c| is_han(c) || c.is_ascii_alphanumeric(), NOTHING),
        "name" => name(&value),
        "phrase" => keep(&value, 5, is_han, NOTHING),
        "time" | "date" | "amount" => value,
        // `thing`, and what WeChat may add: at most 20 characters of any kind.
        _ => shorten(&value, 20),
    }
}

/// Length as WeChat's clients count: in UTF-16 units. Where WeChat counts characters this is stricter, never laxer.
pub(super) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// As much of the text's beginning as has no more than `most` units.
pub(super) fn prefix(text: &str, most: usize) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > most
    });
    end.map_or(text, |(at, _)| text.split_at(at).0)
}

/// Without control characters; what separated words still does.
fn clean(value: &str) -> String {
    let spaced = value.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let printable: String = spaced.filter(|c| !c.is_control()).collect();
    printable.trim().to_owned()
}

/// Cuts with an ellipsis.
fn shorten(value: &str, most: usize) -> String {
    if value.is_empty() {
        NOTHING.to_owned()
    } else if length(value) <= most {
        value.to_owned()
    } else {
        format!("{}…", prefix(value, most - 1).trim_end())
    }
}

/// Only the characters the type takes: an ellipsis is none of them.
fn keep(value: &str, most: usize, takes: impl Fn(char) -> bool, nothing: &str) -> String {
    let kept: String = value.chars().filter(|c| takes(*c)).collect();
    let kept = prefix(kept.trim(), most).trim_end();
    if kept.is_empty() { nothing.to_owned() } else { kept.to_owned() }
}

/// Digits with at most one point between them.
fn decimal(value: &str) -> String {
    let kept: String = value.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    let (whole, fraction) = kept.split_once('.').unwrap_or((&kept, ""));
    let whole = prefix(whole, 32);
    let fraction = prefix(fraction.trim_end_matches('.'), 31_usize.saturating_sub(whole.len()));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}

/// Ten Chinese characters, or twenty letters and symbols.
fn name(value: &str) -> String {
    if value.chars().any(is_han) {
        keep(value, 10, |c| is_han(c) || c == '·', NOTHING)
    } else {
        keep(value, 20, |c| !c.is_numeric(), NOTHING)
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '〇' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        for (key, value) in [
            ("thing1", "一二三四五六七八九十一二三四五六七八九十"),
            ("number2", "3.5"),
            ("letter3", "abcXYZ"),
            ("symbol4", "+-*/="),
            ("character_string5", "No.2026-001"),
            ("time6", "2026年7月30日 09:00~10:30"),
            ("date7", "2026.07.30"),
            ("amount8", "￥100.50元"),
            ("phone_number9", "+86-0766-66888866"),
            ("car_number10", "粤A8Z888挂"),
            ("name11", "买买提·艾力"),
            ("name11", "Zhang San"),
            ("phrase12", "已通过"),
        ] {
            assert_eq!(fit(key, value), value, "{key}");
        }
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        for (key, value, fitted) in [
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一", "一二三四五六七八九十一二三四五六七八九…"),
            ("thing1", "两\r\n行\u{0}\u{7f}", "两  行"),
            ("thing1", "🏮🏮🏮🏮🏮🏮🏮🏮🏮🏮🏮", "🏮🏮🏮🏮🏮🏮🏮🏮🏮…"),
            ("thing1", " \n ", "无"),
            ("number2", "共 12 人", "12"),
            ("number2", "1.2.3", "1"),
            ("number2", "", "0"),
            ("letter3", "甲", "NA"),
            ("character_string5", "编号 A-1", "A-1"),
            ("name11", "一二三四五六七八九十一", "一二三四五六七八九十"),
            ("name11", "3号楼王大爷", "号楼王大爷"),
            ("name11", "abcdefghijklmnopqrstu", "abcdefghijklmnopqrst"),
            ("phrase12", "审核已经通过", "审核已经通"),
            ("phrase12", "ok", "无"),
        ] {
            assert_eq!(fit(key, value), fitted, "{key} {value:?}");
        }
    }

    proptest! {
        /// The simulator has its own idea of what fits, written apart from this one.
        #[test]
        fn any_text_fits_in_the_end(wild in any::<String>(), tame in "[一-十a-c0-9 .·粤\n]{0,50}") {
            for (key, most) in [
                ("thing1", 20), ("number2", 32), ("letter3", 32), ("symbol4", 5), ("character_string5", 32),
                ("phone_number9", 17), ("name11", 20), ("phrase12", 5), ("enum13", 20),
            ] {
                for value in [&wild, &tame] {
                    let fitted = fit(key, value);
                    prop_assert!(wechat_simulator::fits(key, &fitted), "{} {:?}", key, fitted);
                    prop_assert!((1..=most).contains(&length(&fitted)), "{} {:?}", key, fitted);
                }
            }
        }
    }
}
