//! Two fonts beside one another: each character is set in the first that has it.

use std::ops::Range;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider, charmap::Charmap};

use super::Unprintable;

/// Latin first: the Chinese font has no Latin letters, and the Latin one nothing Chinese.
static LATIN: &[u8] = include_bytes!("../../../assets/fonts/OpenSans-Regular.ttf");
static CHINESE: &[u8] = include_bytes!("../../../assets/fonts/DroidSansFallbackFull.ttf");

/// Stands for what neither font has; who copies the text gets the character itself.
const GETA: char = '〓';

struct Face {
    font: Font,
    letters: Charmap<'static>,
    metrics: GlyphMetrics<'static>,
    em: f32,
}

impl Face {
    fn read(data: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(data).ok()?;
        let em = font.metrics(Size::unscaled(), LocationRef::default()).units_per_em;
        Some(Self {
            font: Font::new(data.into(), 0)?,
            letters: font.charmap(),
            metrics: font.glyph_metrics(Size::unscaled(), LocationRef::default()),
            em: f32::from(em),
        })
    }
}

/// The fonts of everything that is printed.
pub(crate) struct Fonts {
    faces: [Face; 2],
}

/// A piece of text in one font.
pub(crate) struct Run<'a> {
    pub font: &'a Font,
    /// Its place in the text.
    pub range: Range<usize>,
    pub glyphs: Vec<KrillaGlyph>,
    /// In em.
    pub width: f32,
}

impl Fonts {
    pub(crate) fn read() -> Result<Self, Unprintable> {
        let faces = [Face::read(LATIN), Face::read(CHINESE)];
        let [Some(latin), Some(chinese)] = faces else { return Err(Unprintable::Fonts) };
        Ok(Self { faces: [latin, chinese] })
    }

    /// The face that has a character, and its glyph there.
    fn find(&self, letter: char) -> Option<(usize, skrifa::GlyphId)> {
        self.faces.iter().enumerate().find_map(|(at, face)| Some((at, face.letters.map(letter)?)))
    }

    /// Face, glyph and width (em) of a character.
    fn set(&self, letter: char) -> (usize, skrifa::GlyphId, f32) {
        let (at, glyph) = self.find(letter).or_else(|| self.find(GETA)).unwrap_or((0, skrifa::GlyphId::NOTDEF));
        let width = self.faces.get(at).and_then(|face| Some(face.metrics.advance_width(glyph)? / face.em));
        (at, glyph, width.unwrap_or(1.0))
    }

    /// Whether a character can be printed as itself.
    pub(crate) fn has(&self, letter: char) -> bool {
        self.find(letter).is_some()
    }

    /// The width of a text, in em.
    pub(crate) fn width(&self, text: &str) -> f32 {
        text.chars().map(|letter| self.set(letter).2).sum()
    }

    /// A text as runs of one font each.
    pub(crate) fn runs(&self, text: &str) -> Vec<Run<'_>> {
        let mut runs: Vec<(usize, Run<'_>)> = Vec::new();
        for (start, letter) in text.char_indices() {
            let range = start..start + letter.len_utf8();
            let (at, glyph, width) = self.set(letter);
            let Some(face) = self.faces.get(at) else { continue };
            if runs.last().is_none_or(|(last, _)| *last != at) {
                let run = Run { font: &face.font, range: start..start, glyphs: Vec::new(), width: 0.0 };
                runs.push((at, run));
            }
            if let Some((_, run)) = runs.last_mut() {
                run.range.end = range.end;
                run.width += width;
                // Within the run's own text.
                let range = range.start - run.range.start..range.end - run.range.start;
                run.glyphs.push(KrillaGlyph::new(GlyphId::new(glyph.to_u32()), width, 0.0, 0.0, 0.0, range, None));
            }
        }
        runs.into_iter().map(|(_, run)| run).collect()
    }

    /// A text in lines of at most `em` width: Chinese may break anywhere, but no line begins with a closing mark; Latin words and
    /// numbers stay together where they fit.
    pub(crate) fn lines(&self, text: &str, em: f32) -> Vec<String> {
        const NOT_FIRST: &str = "，。、；：？！）》〉”’」』】%-";
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut width = 0.0;
        for word in words(text) {
            let wide = self.width(word);
            let hangs = word.chars().all(|letter| NOT_FIRST.contains(letter));
            if width + wide > em && !line.is_empty() && !hangs {
                lines.push(std::mem::take(&mut line));
                width = 0.0;
            }
            if wide <= em {
                line.push_str(word);
                width += wide;
                continue;
            }
            for letter in word.chars() {
                let wide = self.set(letter).2;
                if width + wide > em && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    width = 0.0;
                }
                line.push(letter);
                width += wide;
            }
        }
        lines.push(line);
        lines
    }
}

/// Latin letters and digits in a row as one word; everything else alone.
fn words(text: &str) -> Vec<&str> {
    let part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '@' | '*');
    let mut words = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, letter) in text.char_indices() {
        if at > start && !(before.is_some_and(part) && part(letter)) {
            words.extend(text.get(start..at));
            start = at;
        }
        before = Some(letter);
    }
    words.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_fonts_have_what_names_and_numbers_need() {
        let fonts = Fonts::read().unwrap();
        let missing: String = "䶮㛃喆堃燊玥赟翀祎昇垚犇骉禤亓爨欧阳·阿依古丽AZaz09-/:@（）《》“”、，。—〔〕"
            .chars()
            .filter(|letter| !fonts.has(*letter))
            .collect();
        assert_eq!(missing, "");
        // All of the basic block as it was when GBK was made of it.
        let lacking = ('\u{4e00}'..='\u{9fa5}').filter(|letter| !fonts.has(*letter)).count();
        assert_eq!(lacking, 0);
        assert!(!fonts.has('𠅤'));
    }

    proptest! {
        #[test]
        fn lines_lose_nothing_and_fit(text in "[王小明，。a-z0-9 -]{0,60}", em in 2.0..20.0_f32) {
            let fonts = Fonts::read().unwrap();
            let lines = fonts.lines(&text, em);
            prop_assert_eq!(lines.concat(), text);
            for line in &lines {
                // Closing marks may hang over.
                let line = line.trim_end_matches(['，', '。', '-']);
                prop_assert!(fonts.width(line) <= em + 0.01, "{:?}", line);
            }
        }

        #[test]
        fn runs_cover_the_text(text in "[王小明，。a-z0-9𠅤 -]{0,40}") {
            let fonts = Fonts::read().unwrap();
            let runs = fonts.runs(&text);
            let covered: String = runs.iter().map(|run| &text[run.range.clone()]).collect();
            prop_assert_eq!(&covered, &text);
            let width: f32 = runs.iter().map(|run| run.width).sum();
            prop_assert!((width - fonts.width(&text)).abs() < 0.001);
        }
    }
}
