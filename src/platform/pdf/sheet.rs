//! A4 sheets, filled from top to bottom.

use fast_qr::qr::QRCode;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;

use super::font::Fonts;

/// A4 in points.
pub(crate) const PAGE: (f32, f32) = (595.28, 841.89);
/// Left and right, above and below.
pub(crate) const MARGIN: f32 = 51.0;
/// Between the margins.
pub(crate) const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
/// What is written ends here; below it stands the sheet's number.
pub(crate) const BOTTOM: f32 = PAGE.1 - MARGIN - 16.0;
/// Of a table's cell, around its text.
const PAD: f32 = 4.0;
/// From one line to the next, in sizes of the letters.
pub(crate) const LINE: f32 = 1.45;

/// One thing on a sheet.
pub(crate) enum Mark {
    Text { x: f32, baseline: f32, size: f32, text: String },
    Rule { from: (f32, f32), to: (f32, f32) },
    Code { x: f32, y: f32, module: f32, dark: Vec<(f32, f32, f32)> },
}

impl Mark {
    pub(crate) fn draw(&self, surface: &mut Surface<'_>, fonts: &Fonts) {
        match self {
            Self::Text { x, baseline, size, text } => {
                surface.set_stroke(None);
                surface.set_fill(Some(Fill::default()));
                let mut x = *x;
                for run in fonts.runs(text) {
                    let start = Point::from_xy(x, *baseline);
                    let text = text.get(run.range).unwrap_or_default();
                    surface.draw_glyphs(start, &run.glyphs, run.font.clone(), text, *size, false);
                    x += run.width * size;
                }
            }
            Self::Rule { from, to } => {
                surface.set_fill(None);
                surface.set_stroke(Some(Stroke { width: 0.5, ..Stroke::default() }));
                let mut path = PathBuilder::new();
                path.move_to(from.0, from.1);
                path.line_to(to.0, to.1);
                if let Some(path) = path.finish() {
                    surface.draw_path(&path);
                }
            }
            Self::Code { x, y, module, dark } => {
                surface.set_stroke(None);
                surface.set_fill(Some(Fill::default()));
                let mut path = PathBuilder::new();
                for (column, row, wide) in dark {
                    let rect = Rect::from_xywh(x + column * module, y + row * module, wide * module, *module);
                    if let Some(rect) = rect {
                        path.push_rect(rect);
                    }
                }
                if let Some(path) = path.finish() {
                    surface.draw_path(&path);
                }
            }
        }
    }
}

/// A cell of a table.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    pub text: &'a str,
    pub width: f32,
}

/// The sheets so far, and how far the last one is filled.
pub(crate) struct Sheets<'a> {
    fonts: &'a Fonts,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

impl<'a> Sheets<'a> {
    pub(crate) fn new(fonts: &'a Fonts) -> Self {
        Self { fonts, pages: vec![Vec::new()], y: MARGIN }
    }

    pub(crate) fn into_pages(self) -> Vec<Vec<Mark>> {
        self.pages
    }

    pub(crate) fn y(&self) -> f32 {
        self.y
    }

    pub(crate) fn next(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    pub(crate) fn down(&mut self, by: f32) {
        self.y += by;
    }

    pub(crate) fn at_least(&mut self, y: f32) {
        self.y = self.y.max(y);
    }

    /// Whether so much more fits on this sheet.
    pub(crate) fn room(&self, height: f32) -> bool {
        self.y + height <= BOTTOM
    }

    pub(crate) fn fonts(&self) -> &'a Fonts {
        self.fonts
    }

    /// A rule from margin to margin.
    pub(crate) fn rule(&mut self) {
        self.put(Mark::Rule { from: (MARGIN, self.y), to: (MARGIN + WIDTH, self.y) });
    }

    /// Lines as they are, from the left margin.
    pub(crate) fn set_lines(&mut self, lines: &[String], size: f32) {
        for line in lines {
            self.line(MARGIN, line, size);
        }
    }

    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// A line of text from `x` on; what is below it begins under it.
    fn line(&mut self, x: f32, text: &str, size: f32) {
        let baseline = self.y + size;
        self.put(Mark::Text { x, baseline, size, text: text.to_owned() });
        self.y += size * LINE;
    }

    pub(crate) fn centred(&mut self, text: &str, size: f32) {
        let x = (PAGE.0 - self.fonts.width(text) * size) / 2.0;
        self.line(x, text, size);
    }

    pub(crate) fn right(&mut self, text: &str, size: f32) {
        let x = MARGIN + WIDTH - self.fonts.width(text) * size;
        self.line(x, text, size);
    }

    pub(crate) fn paragraph(&mut self, text: &str, size: f32) {
        for line in self.fonts.lines(text, WIDTH / size) {
            self.line(MARGIN, &line, size);
            self.down(size * 0.25);
        }
    }

    /// A paragraph of a width of its own.
    pub(crate) fn within(&mut self, text: &str, size: f32, width: f32) {
        for line in self.fonts.lines(text, width / size) {
            self.line(MARGIN, &line, size);
        }
    }

    /// The lines of each cell, and the row's height.
    fn lay(&self, cells: &[Cell<'_>], size: f32) -> (Vec<Vec<String>>, f32) {
        let lines: Vec<_> =
            cells.iter().map(|cell| self.fonts.lines(cell.text, (cell.width - 2.0 * PAD) / size)).collect();
        let most = lines.iter().map(Vec::len).max().unwrap_or(1);
        (lines, count(most) * size * LINE + 2.0 * PAD)
    }

    pub(crate) fn fits(&self, cells: &[Cell<'_>], size: f32) -> bool {
        self.room(self.lay(cells, size).1)
    }

    /// A row of a table with its rules.
    pub(crate) fn row(&mut self, cells: &[Cell<'_>], size: f32) {
        let (lines, height) = self.lay(cells, size);
        let (top, bottom) = (self.y, self.y + height);
        let right = MARGIN + cells.iter().map(|cell| cell.width).sum::<f32>();
        for y in [top, bottom] {
            self.put(Mark::Rule { from: (MARGIN, y), to: (right, y) });
        }
        let mut x = MARGIN;
        self.put(Mark::Rule { from: (x, top), to: (x, bottom) });
        for (cell, lines) in cells.iter().zip(lines) {
            self.y = top + PAD;
            for line in lines {
                self.line(x + PAD, &line, size);
            }
            x += cell.width;
            self.put(Mark::Rule { from: (x, top), to: (x, bottom) });
        }
        self.y = bottom;
    }

    /// A square code with its upper left corner at a point.
    pub(crate) fn square_code(&mut self, code: &QRCode, x: f32, y: f32, side: f32) {
        let mut dark = Vec::new();
        for (row, modules) in code.data.chunks(code.size).take(code.size).enumerate() {
            let mut column = 0;
            // Neighbours in a row are one rectangle: no hair lines between them.
            for run in modules.chunk_by(|one, other| one.value() == other.value()) {
                if run.first().is_some_and(|module| module.value()) {
                    dark.push((count(column), count(row), count(run.len())));
                }
                column += run.len();
            }
        }
        self.put(Mark::Code { x, y, module: side / count(code.size), dark });
    }

    /// Writes a line and "sheet x of y" below each sheet.
    pub(crate) fn number(&mut self, text: &str) {
        const SIZE: f32 = 8.0;
        let all = self.pages.len();
        for (at, page) in self.pages.iter_mut().enumerate() {
            let text = format!("{text}　第{}页，共{all}页", at + 1);
            let x = (PAGE.0 - self.fonts.width(&text) * SIZE) / 2.0;
            page.push(Mark::Text { x, baseline: PAGE.1 - MARGIN + 8.0, size: SIZE, text });
        }
    }
}

/// Few enough to be exact.
pub(crate) fn count(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX))
}
