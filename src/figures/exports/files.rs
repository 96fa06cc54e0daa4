//! Rows as CSV and as XLSX. The last row of a whole file begins with [`END`] and holds the number of rows before it.

use std::fs::File;
use std::io::{Read, Seek};

use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};
use sea_orm::DbErr;
use tokio::sync::mpsc;

use crate::platform::csv;
use crate::platform::money::yuan_and_fen;

/// Begins the last row of a whole file.
pub(in crate::figures) const END: &str = "#完";

/// What is sent at a time.
const CHUNK: usize = 64 * 1024;
/// So many rows, chunks or parts wait for a slow reader; then the database waits too.
pub(in crate::figures) const WAITING: usize = 16;
/// Excel's.
const MOST_ROWS: u32 = 1_048_576;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::figures) enum Value {
    Empty,
    Text(String),
    Number(i64),
    /// Shown in yuan.
    Fen(i64),
}

/// Why a file does not come whole.
#[derive(Debug, thiserror::Error)]
pub(in crate::figures) enum Broken {
    #[error("the database: {0}")]
    Database(#[from] DbErr),
    #[error("writing CSV: {0}")]
    Csv(String),
    #[error("writing XLSX: {0}")]
    Xlsx(#[from] XlsxError),
    #[error("the file: {0}")]
    File(#[from] std::io::Error),
    #[error("more rows than a sheet holds")]
    TooLong,
    #[error("the reader is gone")]
    Gone,
}

/// Chunks of a file on their way, or why there will be no more.
pub(in crate::figures) type Chunks = mpsc::Sender<Result<Vec<u8>, Broken>>;

/// Sends a CSV file chunk by chunk; an error is the last thing sent, and breaks the answer.
pub(in crate::figures) async fn csv(
    columns: Vec<&'static str>,
    rows: impl Stream<Item = Result<Vec<Value>, DbErr>>,
    out: Chunks,
) {
    if let Err(error) = send_csv(&columns, rows, &out).await {
        tracing::error!(%error, "an export broke off");
        let _ = out.send(Err(error)).await;
    }
}

async fn send_csv(
    columns: &[&str],
    rows: impl Stream<Item = Result<Vec<Value>, DbErr>>,
    out: &Chunks,
) -> Result<(), Broken> {
    let written = |error: ::csv::Error| Broken::Csv(error.to_string());
    let gone = |_closed| Broken::Gone;
    let mut rows = std::pin::pin!(rows);
    out.send(Ok(csv::MARK.as_bytes().to_vec())).await.map_err(gone)?;
    let mut table = csv::writer();
    table.write_record(columns).map_err(written)?;
    let mut number = 0_u64;
    while let Some(row) = rows.next().await {
        number += 1;
        let cells = row?.into_iter().map(|cell| match cell {
            Value::Empty => String::new(),
            Value::Text(text) => csv::defused(&text).into_owned(),
            Value::Number(number) => number.to_string(),
            Value::Fen(fen) => yuan_and_fen(fen),
        });
        table.write_record(cells).map_err(written)?;
        table.flush()?;
        if table.get_ref().len() >= CHUNK {
            let full = std::mem::replace(&mut table, csv::writer());
            out.send(full.into_inner().map_err(|error| Broken::Csv(error.to_string()))).await.map_err(gone)?;
        }
    }
    table.write_record([END, &number.to_string()]).map_err(written)?;
    out.send(table.into_inner().map_err(|error| Broken::Csv(error.to_string()))).await.map_err(gone)
}

/// Hands rows on to a thread that may block.
pub(in crate::figures) async fn hand_over(
    rows: impl Stream<Item = Result<Vec<Value>, DbErr>>,
    out: mpsc::Sender<Result<Vec<Value>, DbErr>>,
) {
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.next().await {
        if out.send(row).await.is_err() {
            return;
        }
    }
}

/// Writes an XLSX file to disk, row by row, and gives it back from its beginning. Blocks.
pub(in crate::figures) fn xlsx(
    columns: &[&str],
    mut rows: mpsc::Receiver<Result<Vec<Value>, DbErr>>,
    now: DateTime<Utc>,
) -> Result<File, Broken> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_timestamp(now.timestamp())?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = workbook.add_worksheet_with_constant_memory();
    let sheet = sheet?;
    for (column, title) in (0_u16..).zip(columns) {
        sheet.write_string(0, column, *title)?;
    }
    let mut at = 0_u32;
    while let Some(row) = rows.blocking_recv() {
        at += 1;
        // The header, and the last row.
        if at + 2 > MOST_ROWS {
            return Err(Broken::TooLong);
        }
        for (column, cell) in (0_u16..).zip(row?) {
            match cell {
                Value::Empty => {}
                Value::Text(text) => {
                    sheet.write_string(at, column, text)?;
                }
                Value::Number(number) => {
                    sheet.write(at, column, number)?;
                }
                // A sum of money is a number in a sheet; two decimals are read back as they were written.
                Value::Fen(fen) => {
                    sheet.write(at, column, yuan_and_fen(fen).parse::<f64>().unwrap_or_default())?;
                }
            }
        }
    }
    sheet.write_string(at + 1, 0, END)?;
    sheet.write(at + 1, 1, i64::from(at))?;
    let mut file = tempfile::tempfile()?;
    workbook.save_to_writer(&mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Sends a file chunk by chunk. Blocks.
pub(in crate::figures) fn send(mut file: impl Read, out: &Chunks) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = match file.read(&mut chunk) {
            Ok(0) => return,
            Ok(read) => {
                chunk.truncate(read);
                Ok(chunk)
            }
            Err(error) => Err(error.into()),
        };
        let broken = read.is_err();
        if out.blocking_send(read).is_err() || broken {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    async fn collected(rows: Vec<Result<Vec<Value>, DbErr>>) -> (String, bool) {
        let (out, mut chunks) = mpsc::channel(WAITING);
        let writing = csv(vec!["甲", "乙"], stream::iter(rows), out);
        let reading = async {
            let (mut text, mut whole) = (Vec::new(), true);
            while let Some(chunk) = chunks.recv().await {
                match chunk {
                    Ok(bytes) => text.extend(bytes),
                    Err(_) => whole = false,
                }
            }
            (String::from_utf8(text).unwrap(), whole)
        };
        futures_util::future::join(writing, reading).await.1
    }

    #[tokio::test]
    async fn a_whole_file_says_so_at_its_end() {
        let row = |text: &str, fen| Ok(vec![Value::Text(text.to_owned()), Value::Fen(fen)]);
        let (text, whole) = collected(vec![row("=1+1", -5), row("a,b", 12_345), Ok(vec![Value::Empty])]).await;
        assert!(whole);
        assert_eq!(text, "\u{feff}甲,乙\r\n'=1+1,-0.05\r\n\"a,b\",123.45\r\n\"\"\r\n#完,3\r\n");
    }

    #[tokio::test]
    async fn a_broken_stream_ends_in_an_error_and_without_the_last_row() {
        let rows = vec![Ok(vec![Value::Number(1)]), Err(DbErr::Custom("gone".to_owned())), Ok(vec![Value::Number(2)])];
        let (text, whole) = collected(rows).await;
        assert!(!whole && !text.contains(END), "{text}");
    }
}
