//! What fits into a subscribe message's field. The type is the key without its index: `thing1`, `time2`.

/// Whether `value` fits into the field `key`. A key of no known type fits nothing.
#[must_use]
pub fn fits(key: &str, value: &str) -> bool {
    if value.trim().is_empty() || value.chars().any(char::is_control) {
        return false;
    }
    let length = value.chars().count();
    match key.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "thing" => length <= 20,
        "number" => length <= 32 && is_decimal(value),
        "letter" => length <= 32 && value.chars().all(|c| c.is_ascii_alphabetic()),
        "symbol" => length <= 5 && value.chars().all(|c| !c.is_alphanumeric() && !c.is_whitespace()),
        "character_string" => length <= 32 && value.chars().all(|c| c.is_ascii_graphic() || c == ' '),
        "time" => is_range(value, |moment| is_clock(moment) || is_date_and_clock(moment)),
        "date" => is_range(value, |moment| is_date(moment) || is_date_and_clock(moment)),
        "amount" => is_amount(value),
        "phone_number" => length <= 17 && value.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c)),
        "car_number" => length <= 8 && is_plate(value),
        "name" => is_name(value, length),
        "phrase" => length <= 5 && value.chars().all(is_han),
        // The values an enum may have are set with the template, which the simulator does not know.
        "enum" => true,
        _ => false,
    }
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{323AF}' | '〇')
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole, 1..=32) && is_digits(fraction, 1..=32)
}

/// One currency symbol, at most ten digits, perhaps a fraction, perhaps 元.
fn is_amount(text: &str) -> bool {
    let text = text.strip_suffix('元').unwrap_or(text);
    let text = text.strip_prefix(|c: char| !c.is_alphanumeric() && c != '.').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole, 1..=10) && is_digits(fraction, 1..=10)
}

/// Ten Chinese characters, or twenty letters and symbols.
fn is_name(text: &str, length: usize) -> bool {
    let han = |c: char| is_han(c) || c == '·';
    (length <= 10 && text.chars().all(han)) || (length <= 20 && text.chars().all(|c| !is_han(c) && !c.is_numeric()))
}

/// Letters and digits; the first and the last may be Chinese.
fn is_plate(text: &str) -> bool {
    let mut chars = text.chars();
    let ends = [chars.next(), chars.next_back()];
    ends.into_iter().flatten().all(|c| is_han(c) || c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric())
}

fn is_range(text: &str, is_moment: impl Fn(&str) -> bool) -> bool {
    match text.split_once(['~', '～']) {
        Some((from, to)) => is_moment(from.trim()) && is_moment(to.trim()),
        None => is_moment(text.trim()),
    }
}

fn number(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    is_digits(text, lengths).then(|| text.parse().ok()).flatten()
}

/// `15:01` or `15:01:30`.
fn is_clock(text: &str) -> bool {
    let parts: Vec<_> = text.split([':', '：']).collect();
    let below = |part: &&str, limit| number(part, 1..=2).is_some_and(|n| n < limit);
    matches!(parts.as_slice(), [hour, rest @ ..] if below(hour, 24)
        && (1..=2).contains(&rest.len()) && rest.iter().all(|part| part.len() == 2 && below(part, 60)))
}

/// `2019年10月1日`, `2019-10-01`, `2019/10/01` or `2019.10.01`.
fn is_date(text: &str) -> bool {
    let text = text.strip_suffix('日').unwrap_or(text);
    let parts: Vec<_> = text.split(['年', '月', '-', '/', '.']).collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let date = number(year, 4..=4).zip(number(month, 1..=2)).zip(number(day, 1..=2));
    date.and_then(|((year, month), day)| chrono::NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day)).is_some()
}

fn is_date_and_clock(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(date, clock)| is_date(date) && is_clock(clock.trim()))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn what_fits() {
        for (key, value) in [
            ("thing1", "一二三四五六七八九十一二三四五六七八九十"),
            ("number2", "12345678901234567890123456789012"),
            ("number2", "3.5"),
            ("letter3", "abcXYZ"),
            ("symbol4", "+-*/="),
            ("character_string5", "No.2026-001"),
            ("time6", "15:01"),
            ("time6", "2019年10月1日 15:01"),
            ("time6", "15:01~16:30"),
            ("time6", "2026-07-30 09:00"),
            ("date7", "2019年10月1日"),
            ("date7", "2026/07/30"),
            ("date7", "2026.07.30 08:00~2026.07.31 08:00"),
            ("amount8", "￥100.50元"),
            ("amount8", "¥1234567890"),
            ("amount8", "12元"),
            ("phone_number9", "+86-0766-66888866"),
            ("car_number10", "粤A8Z888挂"),
            ("name11", "张三"),
            ("name11", "Zhang San"),
            ("phrase12", "已通过"),
            ("enum13", "anything"),
        ] {
            assert!(fits(key, value), "{key} {value}");
        }
    }

    #[test]
    fn what_does_not_fit() {
        for (key, value) in [
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一"),
            ("thing1", ""),
            ("thing1", "  "),
            ("thing1", "两\n行"),
            ("number2", "123456789012345678901234567890123"),
            ("number2", "12a"),
            ("number2", "-1"),
            ("letter3", "a1"),
            ("symbol4", "+-*/=+"),
            ("symbol4", "a"),
            ("character_string5", "编号1"),
            ("time6", "25:00"),
            ("time6", "2019-10-01"),
            ("time6", "明天"),
            ("date7", "2026-02-30"),
            ("date7", "2026-13-01"),
            ("date7", "15:01"),
            ("amount8", "￥12345678901"),
            ("amount8", "about 5"),
            ("phone_number9", "123456789012345678"),
            ("car_number10", "粤A8Z8888挂"),
            ("car_number10", "粤A中8888"),
            ("name11", "一二三四五六七八九十一"),
            ("name11", "abcdefghijklmnopqrstu"),
            ("phrase12", "一二三四五六"),
            ("phrase12", "ok"),
            ("unknown1", "x"),
        ] {
            assert!(!fits(key, value), "{key} {value}");
        }
    }
}
