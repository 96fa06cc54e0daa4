//! The AAC of an M4A: which of its boxes say where the frames lie, and nothing else of it.

use super::{AAC_RATES, AAC_SAMPLES, RATES, Sound, adts_header};

/// Frames of one recording: far more than the longest has.
const MAX_FRAMES: u64 = 8_000;

/// Number in big-endian order.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn size(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(bytes, at, 4)?).ok()
}

/// The boxes of an MP4, as far as they are whole.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let kind = bytes.get(4..8)?;
        let (head, length) = match size(bytes, 0)? {
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(number(bytes, 8, 8)?).ok()?),
            length => (8, length),
        };
        let content = bytes.get(head..length)?;
        bytes = bytes.get(length..)?;
        Some((kind, content))
    })
}

/// What the one box of a kind holds; `None` where there is none, or several.
fn only<'a>(bytes: &'a [u8], kind: &[u8]) -> Option<&'a [u8]> {
    let mut found = boxes(bytes).filter(|(name, _)| *name == kind);
    let (_, content) = found.next()?;
    found.next().is_none().then_some(content)
}

/// The AAC frames of an M4A that has one track and nothing but sound, as ADTS.
pub(super) fn sound(bytes: &[u8]) -> Option<Sound> {
    let media = only(only(only(bytes, b"moov")?, b"trak")?, b"mdia")?;
    let table = only(only(media, b"minf")?, b"stbl")?;
    let (profile, rate_index, channels) = codec(only(table, b"stsd")?)?;
    let rate = *AAC_RATES.get(usize::from(rate_index))?;
    if !RATES.contains(&rate) || !matches!(channels, 1 | 2) {
        return None;
    }
    let sizes = only(table, b"stsz")?;
    let (same, count) = (size(sizes, 4)?, number(sizes, 8, 4)?);
    if count > MAX_FRAMES {
        return None;
    }
    let chunks = only(table, b"stsc")?;
    let (offsets, width) = match only(table, b"stco") {
        Some(offsets) => (offsets, 4),
        None => (only(table, b"co64")?, 8),
    };
    let mut sound = Sound { bytes: Vec::with_capacity(bytes.len()), samples: 0, rate };
    let (mut sample, mut run, mut in_chunk) = (0_usize, 0_usize, 0);
    let count = usize::try_from(count).ok()?;
    for chunk in 0..size(offsets, 4)? {
        // A run of the table says from which chunk on how many frames lie in one.
        if run < size(chunks, 4)? && size(chunks, 8 + 12 * run)? == chunk + 1 {
            in_chunk = size(chunks, 12 + 12 * run)?;
            run += 1;
        }
        let mut at = usize::try_from(number(offsets, 8 + width * chunk, width)?).ok()?;
        for _ in 0..in_chunk.min(count - sample) {
            let length = if same == 0 { size(sizes, 12 + 4 * sample)? } else { same };
            let frame = bytes.get(at..at.checked_add(length)?)?;
            sound.bytes.extend_from_slice(&adts_header((profile, rate_index, channels), length)?);
            sound.bytes.extend_from_slice(frame);
            sound.samples += u64::from(AAC_SAMPLES);
            at += length;
            sample += 1;
        }
    }
    (sample == count && count > 0).then_some(sound)
}

/// Profile, index of the rate and channels from a sample description that is one of plain AAC.
fn codec(description: &[u8]) -> Option<(u8, u8, u8)> {
    if number(description, 4, 4)? != 1 {
        return None;
    }
    let entry = only(description.get(8..)?, b"mp4a")?;
    let older = if number(entry, 8, 2)? == 1 { 16 } else { 0 };
    let mut descriptor = only(entry.get(28 + older..)?, b"esds")?.get(4..)?;
    // The elementary stream holds the decoder's description, which holds the codec's.
    for (tag, skipped) in [(3, 3), (4, 13), (5, 0)] {
        descriptor = tagged(descriptor, tag)?.get(skipped..)?;
    }
    let config = number(descriptor, 0, 2)?;
    let part = |shift: u32, mask: u64| u8::try_from(config >> shift & mask).ok();
    let (kind, rate, channels) = (part(11, 31)?, part(7, 15)?, part(3, 15)?);
    (kind == 2).then_some((kind - 1, rate, channels))
}

/// What a descriptor with this tag at the beginning holds.
fn tagged(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (first, mut rest) = bytes.split_first()?;
    let mut length = 0_usize;
    for _ in 0..4 {
        let (byte, after) = rest.split_first()?;
        length = length << 7 | usize::from(byte & 0x7F);
        rest = after;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if *first == tag { rest.get(..length) } else { None }
}
