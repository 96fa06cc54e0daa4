//! Money as people read it. It is counted in fen everywhere else.

/// In yuan, with fen only if there are any: `1234`, `1234.50`.
pub fn yuan(fen: i64) -> String {
    if fen % 100 == 0 { (fen / 100).to_string() } else { yuan_and_fen(fen) }
}

/// In yuan, always with its fen: `1234.00`, `-0.05`.
pub fn yuan_and_fen(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_in_yuan() {
        assert_eq!([346_000_000, 105, 5, 0].map(yuan), ["3460000", "1.05", "0.05", "0"]);
        assert_eq!([123_400, 5, -5, -120].map(yuan_and_fen), ["1234.00", "0.05", "-0.05", "-1.20"]);
    }
}
