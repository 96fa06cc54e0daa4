//! Tables as files that a spreadsheet opens.

use std::borrow::Cow;

/// Stands at the beginning of a file: it tells a Chinese Excel that this is UTF-8.
pub const MARK: &str = "\u{feff}";

/// Writes RFC 4180 into memory; rows may differ in length.
pub fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new())
}

/// A small CSV file in UTF-8.
pub fn file<'a>(rows: impl IntoIterator<Item = Vec<Cow<'a, str>>>) -> String {
    let mut table = writer();
    for row in rows {
        // Writing into memory does not fail, and `flexible` takes rows of any length.
        let _ = table.write_record(row.iter().map(|cell| defused(cell)).map(Cow::into_owned));
    }
    let bytes = table.into_inner().unwrap_or_default();
    MARK.to_owned() + &String::from_utf8_lossy(&bytes)
}

/// A cell; one that a spreadsheet would take for a formula is made text.
pub fn defused(cell: &str) -> Cow<'_, str> {
    let formula =
        cell.starts_with(['=', '+', '@', '\t', '\r']) || (cell.starts_with('-') && cell.parse::<i64>().is_err());
    if formula { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        let rows = [
            vec!["名称".into(), "件数".into()],
            vec!["纸巾,\"大\"包".into(), "-3".into()],
            vec!["=SUM(A1)".into(), "-a".into()],
        ];
        assert_eq!(file(rows), "\u{feff}名称,件数\r\n\"纸巾,\"\"大\"\"包\",-3\r\n'=SUM(A1),'-a\r\n");
    }

    proptest! {
        // Files that were published keep their hash: what the crate quotes is what was quoted before it was used.
        #[test]
        fn a_cell_is_quoted_when_it_must_be_and_read_back_as_it_was(cell in "[a,\"\r\n 票;'#-]{0,6}", other in "[a票]{1,3}") {
            let written = file([vec![Cow::Borrowed(cell.as_str()), Cow::Borrowed(other.as_str())]]);
            let shown = defused(&cell);
            let quoted = if shown.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", shown.replace('"', "\"\""))
            } else {
                shown.clone().into_owned()
            };
            prop_assert_eq!(&written, &format!("\u{feff}{quoted},{other}\r\n"));
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&written.as_bytes()[3..]);
            let row = reader.records().next().unwrap().unwrap();
            prop_assert_eq!((&row[0], &row[1]), (&*shown, other.as_str()));
        }
    }
}
