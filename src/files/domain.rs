//! How large a stored picture is, who may see it, and how long a link lasts.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// The longer side of what is stored, and of its thumbnail.
pub(super) const FULL: u32 = 2048;
pub(super) const THUMB: u32 = 320;

/// What is too short to be a voice was a slip of the thumb; the longest is a minute, and what a recorder rounds up to.
pub(super) const SHORTEST_VOICE_MS: i64 = 1_000;
pub(super) const LONGEST_VOICE_MS: i64 = 60_999;

/// Links made within one such span are the same, so that a phone's cache finds them again; they last one to two spans.
const SPAN: TimeDelta = TimeDelta::minutes(15);

/// Whom a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anybody; the link works while the picture is shown to everybody.
    Public,
    /// The author, moderators and WeChat; the link works in every state.
    Insider,
}

/// Width and height scaled so that the longer side is at most `longest`; never larger, never 0.
pub(super) fn fit(width: u32, height: u32, longest: u32) -> (u32, u32) {
    let side = width.max(height).max(1);
    if side <= longest {
        return (width, height);
    }
    let scaled = |length: u32| {
        let rounded = (u64::from(length) * u64::from(longest) + u64::from(side / 2)) / u64::from(side);
        u32::try_from(rounded).unwrap_or(longest).max(1)
    };
    (scaled(width), scaled(height))
}

/// When a link made now ends.
pub(super) fn link_end(now: DateTime<Utc>) -> i64 {
    let span = SPAN.num_seconds();
    (now.timestamp().div_euclid(span) + 2) * span
}

/// What the signature of a link covers.
pub(super) fn link_message(file: Uuid, thumb: bool, audience: Audience, end: i64) -> Vec<u8> {
    let audience = match audience {
        Audience::Public => 0,
        Audience::Insider => 1,
    };
    [file.as_bytes().as_slice(), &[u8::from(thumb), audience], &end.to_be_bytes()].concat()
}

/// Whether the kind of file that the client declared agrees with what the bytes are. No or no particular kind is no claim.
pub(super) fn is_honest(declared: Option<&str>, real: &str) -> bool {
    match declared.map(str::to_ascii_lowercase).as_deref() {
        None | Some("application/octet-stream") => true,
        Some("image/jpg" | "image/pjpeg") => real == "image/jpeg",
        Some("audio/mp3" | "audio/x-mp3" | "audio/mpeg3") => real == "audio/mpeg",
        // AAC in an MP4 is the same sound in another box.
        Some("audio/mp4" | "audio/m4a" | "audio/x-m4a" | "audio/x-aac" | "audio/aacp") => real == "audio/aac",
        Some(declared) => declared == real,
    }
}

/// The bytes, first and last, that a `Range` asks for of a file so long. Nothing where the whole file is the answer, as for several
/// ranges at once; an error where there are no such bytes.
pub(super) fn range(asked: &str, length: usize) -> Result<Option<(usize, usize)>, NoSuchBytes> {
    let Some((first, last)) = asked.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().unwrap_or(usize::MAX));
    let (first, last) = match (first, last) {
        ("", "") => return Ok(None),
        ("", tail) => match number(tail) {
            Some(tail) => (length - tail.min(length), length),
            None => return Ok(None),
        },
        (first, last) => match (number(first), if last.is_empty() { Some(usize::MAX) } else { number(last) }) {
            (Some(first), Some(last)) if first <= last => (first, last),
            _ => return Ok(None),
        },
    };
    if first < length { Ok(Some((first, last.min(length - 1)))) } else { Err(NoSuchBytes) }
}

/// A range that lies behind the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoSuchBytes;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_range_is_served_and_nonsense_is_the_whole_file() {
        for (asked, answer) in [
            ("bytes=0-1", Ok(Some((0, 1)))),
            ("bytes=5-", Ok(Some((5, 9)))),
            ("bytes=-3", Ok(Some((7, 9)))),
            ("bytes=-99", Ok(Some((0, 9)))),
            ("bytes=2-99999999999999999999999", Ok(Some((2, 9)))),
            ("bytes=10-", Err(NoSuchBytes)),
            ("bytes=-0", Err(NoSuchBytes)),
            ("bytes=3-2", Ok(None)),
            ("bytes=0-1,3-4", Ok(None)),
            ("bytes=-", Ok(None)),
            ("bytes=+1-2", Ok(None)),
            ("lines=0-1", Ok(None)),
        ] {
            assert_eq!(range(asked, 10), answer, "{asked}");
        }
    }

    proptest! {
        #[test]
        fn a_range_lies_in_the_file(asked in "bytes=[0-9]{0,3}-[0-9]{0,3}", length in 0_usize..300) {
            if let Ok(Some((first, last))) = range(&asked, length) {
                prop_assert!(first <= last && last < length);
            }
        }
        #[test]
        fn a_scaled_picture_fits_and_keeps_its_shape(width in 1_u32..60_000, height in 1_u32..60_000) {
            let (w, h) = fit(width, height, FULL);
            prop_assert!(w >= 1 && h >= 1 && w <= width && h <= height && w.max(h) <= FULL);
            if width.max(height) > FULL {
                prop_assert_eq!(w.max(h), FULL);
                let exact = f64::from(width.min(height)) * f64::from(FULL) / f64::from(width.max(height));
                prop_assert!((f64::from(w.min(h)) - exact).abs() <= 1.0);
            }
        }

        #[test]
        fn a_link_lasts_one_to_two_spans(second in 0_i64..4_000_000_000) {
            let left = link_end(DateTime::from_timestamp(second, 0).unwrap()) - second;
            prop_assert!(left > SPAN.num_seconds() && left <= 2 * SPAN.num_seconds());
        }
    }

    #[test]
    fn only_a_wrong_claim_is_a_lie() {
        assert!(is_honest(None, "image/png") && is_honest(Some("application/octet-stream"), "image/png"));
        assert!(is_honest(Some("image/jpg"), "image/jpeg") && is_honest(Some("IMAGE/PNG"), "image/png"));
        assert!(!is_honest(Some("image/png"), "image/jpeg") && !is_honest(Some("text/html"), "image/png"));
    }
}
