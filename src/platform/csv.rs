//! Tables as files that a spreadsheet opens.

use std::borrow::Cow;

/// A CSV file (RFC 4180) in UTF-8. The mark at its beginning tells a Chinese Excel so.
pub fn file<'a>(rows: impl IntoIterator<Item = Vec<Cow<'a, str>>>) -> String {
    let mut text = String::from("\u{feff}");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell; one that a spreadsheet would take for a formula is made text.
fn quoted(cell: &str) -> String {
    let formula =
        cell.starts_with(['=', '+', '@', '\t', '\r']) || (cell.starts_with('-') && cell.parse::<i64>().is_err());
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        let rows = [
            vec!["名称".into(), "件数".into()],
            vec!["纸巾,\"大\"包".into(), "-3".into()],
            vec!["=SUM(A1)".into(), "-a".into()],
        ];
        assert_eq!(file(rows), "\u{feff}名称,件数\r\n\"纸巾,\"\"大\"\"包\",-3\r\n'=SUM(A1),'-a\r\n");
    }
}
