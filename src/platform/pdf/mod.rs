//! A4 sheets with real text in an embedded subset of the fonts, so that it can be searched, copied and read aloud.
//!
//! The same content gives the same bytes: nothing is asked but the content, and the time in the file is a day of the content.

mod font;
mod sheet;

use chrono::{Datelike, NaiveDate};
use fast_qr::QRCode;
use fast_qr::qr::QRBuilder;
use krilla::Document;
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;

pub(crate) use font::Fonts;
pub(crate) use sheet::{BOTTOM, Cell, LINE, MARGIN, PAGE, Sheets, WIDTH, count};

/// Content that cannot be made into a PDF.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unprintable {
    #[error("a font cannot be read")]
    Fonts,
    #[error("the code is too long for a square code")]
    Code,
    #[error("the PDF cannot be written: {0}")]
    Written(String),
}

/// What a file says of itself.
pub(crate) struct About<'a> {
    pub title: String,
    pub author: &'a str,
    /// The day that the file names as its own.
    pub day: NaiveDate,
    /// Tells it from every other.
    pub id: String,
}

/// A square code that leads to an address.
pub(crate) fn square_code(address: &str) -> Result<QRCode, Unprintable> {
    QRBuilder::new(address).build().map_err(|_too_long| Unprintable::Code)
}

/// The file of filled sheets.
pub(crate) fn write(about: About<'_>, fonts: &Fonts, sheets: Sheets<'_>) -> Result<Vec<u8>, Unprintable> {
    let mut document = Document::new();
    let date = |part: u32| u8::try_from(part).unwrap_or(1);
    let on = about.day;
    let created =
        DateTime::new(u16::try_from(on.year()).unwrap_or_default()).month(date(on.month())).day(date(on.day()));
    let metadata = Metadata::new()
        .title(about.title)
        .authors(vec![about.author.to_owned()])
        .language("zh-CN".to_owned())
        .creator("Linli".to_owned())
        .creation_date(created)
        .document_id(about.id);
    document.set_metadata(metadata);
    for page in sheets.into_pages() {
        let settings =
            PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| Unprintable::Written("page size".to_owned()))?;
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        for mark in page {
            mark.draw(&mut surface, fonts);
        }
        surface.finish();
        sheet.finish();
    }
    document.finish().map_err(|error| Unprintable::Written(format!("{error:?}")))
}
