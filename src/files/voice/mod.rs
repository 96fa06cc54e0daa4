//! From what a phone recorded to the sound that is kept: MP3 as its bare frames, AAC as ADTS. Whatever lies around the sound
//! (ID3 and APE tags, an M4A's atoms with their place and time, data behind the end) is left behind, because only frames that
//! were understood are written.

mod mp4;

use super::domain::{self, LONGEST_VOICE_MS, SHORTEST_VOICE_MS};

/// What WeChat's recorder can be told to make is between these.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;
const AAC_SAMPLES: u32 = 1_024;
const AAC_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
const MP3_BITRATES_1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const MP3_BITRATES_2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const MP3_RATES: [u32; 3] = [44_100, 48_000, 32_000];
/// Kinds of MP4 in which phones record sound.
const BRANDS: [&[u8]; 7] = [b"M4A ", b"mp41", b"mp42", b"isom", b"iso2", b"3gp4", b"3gp5"];

/// What is kept of an upload.
pub(super) struct Voice {
    pub content_type: &'static str,
    pub duration_ms: i64,
    pub bytes: Vec<u8>,
}

/// Why an upload is not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VoiceError {
    #[error("not an MP3 or AAC recording")]
    Type,
    #[error("declared as another type than it is")]
    Lie,
    #[error("longer or shorter than a voice message")]
    Length,
    #[error("the recording is damaged")]
    Damaged,
}

/// Whether the first bytes are those of a recording, and no picture's.
pub(super) fn is_voice(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ID3")
        || mp3_frame(bytes).is_some()
        || adts_frame(bytes).is_some()
        || (bytes.get(4..8) == Some(b"ftyp") && bytes.get(8..12).is_some_and(|brand| BRANDS.contains(&brand)))
}

/// Reads every frame, and writes the sound anew.
pub(super) fn prepare(bytes: &[u8], declared: Option<&str>) -> Result<Voice, VoiceError> {
    let (content_type, sound) = if bytes.get(4..8) == Some(b"ftyp") {
        ("audio/aac", mp4::sound(bytes).ok_or(VoiceError::Type)?)
    } else {
        let bytes = without_id3(bytes).ok_or(VoiceError::Damaged)?;
        if adts_frame(bytes).is_some() {
            ("audio/aac", walk(bytes, adts_frame)?)
        } else if mp3_frame(bytes).is_some() {
            ("audio/mpeg", walk(bytes, mp3_frame)?)
        } else {
            return Err(VoiceError::Type);
        }
    };
    if !domain::is_honest(declared, content_type) {
        return Err(VoiceError::Lie);
    }
    let duration_ms = i64::try_from(sound.samples.saturating_mul(1_000) / u64::from(sound.rate.max(1)));
    let duration_ms = duration_ms.map_err(|_endless| VoiceError::Length)?;
    if !(SHORTEST_VOICE_MS..=LONGEST_VOICE_MS).contains(&duration_ms) {
        return Err(VoiceError::Length);
    }
    Ok(Voice { content_type, duration_ms, bytes: sound.bytes })
}

/// Frames one after the other, with nothing between them.
struct Sound {
    bytes: Vec<u8>,
    samples: u64,
    rate: u32,
}

/// A frame's header.
#[derive(Clone, Copy)]
struct Frame {
    length: usize,
    samples: u32,
    rate: u32,
    /// What all frames of one recording have alike, besides the rate.
    kind: u8,
    /// An encoder's table of contents instead of sound.
    silent: bool,
}

fn walk(bytes: &[u8], read: fn(&[u8]) -> Option<Frame>) -> Result<Sound, VoiceError> {
    let first = read(bytes).ok_or(VoiceError::Type)?;
    let mut sound = Sound { bytes: Vec::with_capacity(bytes.len()), samples: 0, rate: first.rate };
    let mut rest = bytes;
    while let Some(frame) = read(rest) {
        // A recorder that was stopped may leave half a frame.
        let Some((whole, after)) = rest.split_at_checked(frame.length) else {
            rest = &[];
            break;
        };
        if (frame.rate, frame.kind) != (first.rate, first.kind) {
            return Err(VoiceError::Damaged);
        }
        if !(frame.silent && sound.samples == 0) {
            sound.bytes.extend_from_slice(whole);
            sound.samples += u64::from(frame.samples);
        }
        rest = after;
    }
    let tag = [b"TAG".as_slice(), b"APETAGEX", b"LYRICSBEGIN"].iter().any(|tag| rest.starts_with(tag));
    if tag || rest.len() < 4 || rest.iter().all(|byte| *byte == 0) { Ok(sound) } else { Err(VoiceError::Damaged) }
}

/// The bytes behind `ID3` tags at the beginning.
fn without_id3(mut bytes: &[u8]) -> Option<&[u8]> {
    while bytes.starts_with(b"ID3") {
        let length = bytes.get(6..10)?.iter().fold(0_usize, |length, byte| length << 7 | usize::from(byte & 0x7F));
        let footer = if bytes.get(5)? & 0x10 == 0 { 0 } else { 10 };
        bytes = bytes.get(10 + footer + length..)?;
    }
    Some(bytes)
}

fn mp3_frame(bytes: &[u8]) -> Option<Frame> {
    let [first, second, third, fourth] = *bytes.first_chunk()?;
    // MPEG audio, layer III.
    if first != 0xFF || second & 0xE6 != 0xE2 {
        return None;
    }
    let (one, halvings) = match second >> 3 & 3 {
        3 => (true, 0),
        2 => (false, 1),
        0 => (false, 2),
        _ => return None,
    };
    let rates = if one { MP3_BITRATES_1 } else { MP3_BITRATES_2 };
    let bitrate = rates.get(usize::from(third >> 4).checked_sub(1)?)?;
    let rate = MP3_RATES.get(usize::from(third >> 2 & 3))? >> halvings;
    let samples = if one { 1_152 } else { 576 };
    let length = usize::try_from(samples / 8 * bitrate * 1_000 / rate + u32::from(third >> 1 & 1)).ok()?;
    let mono = fourth >> 6 == 3;
    let side = match (one, mono) {
        (true, false) => 32,
        (true, true) | (false, false) => 17,
        (false, true) => 9,
    };
    let is_at = |at: usize, word: &[u8]| bytes.get(at..at + 4) == Some(word);
    let silent =
        [4, 6].iter().any(|crc| is_at(crc + side, b"Xing") || is_at(crc + side, b"Info")) || is_at(36, b"VBRI");
    let frame = Frame { length, samples, rate, kind: second & 0x18 | u8::from(mono), silent };
    RATES.contains(&rate).then_some(frame)
}

fn adts_frame(bytes: &[u8]) -> Option<Frame> {
    let [first, second, third, fourth, fifth, sixth, seventh] = *bytes.first_chunk()?;
    if first != 0xFF || second & 0xF6 != 0xF0 {
        return None;
    }
    let header = if second & 1 == 1 { 7 } else { 9 };
    let rate = *AAC_RATES.get(usize::from(third >> 2 & 0xF))?;
    let channels = (third & 1) << 2 | fourth >> 6;
    let length = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
    let samples = AAC_SAMPLES * (u32::from(seventh & 3) + 1);
    let frame = Frame { length, samples, rate, kind: third & 0xC0 | channels, silent: false };
    (RATES.contains(&rate) && matches!(channels, 1 | 2) && length > header).then_some(frame)
}

fn adts_header((profile, rate, channels): (u8, u8, u8), length: usize) -> Option<[u8; 7]> {
    let whole = u32::try_from(length + 7).ok().filter(|whole| (8..1 << 13).contains(whole))?;
    let byte = |shifted: u32| u8::try_from(shifted & 0xFF).ok();
    Some([
        0xFF,
        0xF1,
        profile << 6 | rate << 2 | channels >> 2,
        (channels & 3) << 6 | byte(whole >> 11)?,
        byte(whole >> 3)?,
        (byte(whole)? & 7) << 5 | 0x1F,
        0xFC,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// MPEG-2 layer III at 16 kHz, mono, 24 kbit/s: 36 ms and 108 bytes a frame.
    fn mp3(frames: usize) -> Vec<u8> {
        let mut frame = vec![0xFF, 0xF3, 0x38, 0xC4];
        frame.resize(108, 0x55);
        frame.repeat(frames)
    }

    /// AAC-LC at 16 kHz, mono: 64 ms a frame.
    fn aac(frames: usize) -> Vec<u8> {
        let mut frame = adts_header((1, 8, 1), 50).unwrap().to_vec();
        frame.resize(57, 0x21);
        frame.repeat(frames)
    }

    fn boxed(kind: &[u8], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes(), kind, content].concat()
    }

    /// An M4A with two frames a chunk, the position of the recording, and its sound at the end.
    fn m4a(frames: u32) -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
        let config = [&[5, 2][..], &(2_u16 << 11 | 8 << 7 | 1 << 3).to_be_bytes()].concat();
        let decoder = [&[4, 17, 0x40, 0x15][..], &[0; 11], &config].concat();
        let stream = [&[0, 0, 0, 0, 3, 22, 0, 1, 0][..], &decoder].concat();
        let entry = [&[0; 28][..], &boxed(b"esds", &stream)].concat();
        let described = boxed(b"stsd", &[words(&[0, 1]), boxed(b"mp4a", &entry)].concat());
        let lengths = boxed(b"stsz", &words(&[0, 50, frames]));
        let runs = boxed(b"stsc", &words(&[0, 1, 1, 2, 1]));
        let chunks = frames.div_ceil(2);
        let sound = [0x21_u8; 50].repeat(usize::try_from(frames).unwrap());
        let build = |at: u32| {
            let offsets: Vec<u32> = [0, chunks].into_iter().chain((0..chunks).map(|chunk| at + chunk * 100)).collect();
            let stbl = boxed(
                b"stbl",
                &[described.clone(), lengths.clone(), runs.clone(), boxed(b"stco", &words(&offsets))].concat(),
            );
            let trak = boxed(b"trak", &boxed(b"mdia", &boxed(b"minf", &stbl)));
            let moov = boxed(b"moov", &[trak, boxed(b"udta", &boxed(b"loci", b"+30.6+114.3/"))].concat());
            [boxed(b"ftyp", b"M4A \0\0\0\0"), moov, boxed(b"mdat", &sound)].concat()
        };
        let head = build(0).len() - sound.len();
        build(u32::try_from(head).unwrap())
    }

    #[test]
    fn the_sound_is_kept_with_its_length_and_nothing_else() {
        let mut tagged = b"ID3\x04\0\0\0\0\0\x0C+30.6+114.3/".to_vec();
        tagged.extend(mp3(100));
        tagged.extend(b"TAG");
        tagged.resize(tagged.len() + 125, b'x');
        let kept = prepare(&tagged, Some("audio/mp3")).unwrap();
        assert_eq!((kept.content_type, kept.duration_ms), ("audio/mpeg", 3_600));
        assert_eq!(kept.bytes, mp3(100));

        let kept = prepare(&aac(100), Some("audio/aac")).unwrap();
        assert_eq!((kept.content_type, kept.duration_ms), ("audio/aac", 6_400));
        let kept = prepare(&m4a(101), Some("audio/x-m4a")).unwrap();
        assert_eq!((kept.content_type, kept.duration_ms), ("audio/aac", 6_464));
        assert_eq!(kept.bytes, aac(101), "what a phone puts into an M4A is the same sound without it");
    }

    #[test]
    fn an_encoders_table_is_no_sound_and_half_a_frame_is_dropped() {
        let mut table = mp3(1);
        table[13..17].copy_from_slice(b"Info");
        let bytes = [table, mp3(40), mp3(1)[..50].to_vec()].concat();
        assert_eq!(prepare(&bytes, None).unwrap().bytes, mp3(40));
    }

    #[test]
    fn what_is_too_long_lies_or_is_something_else_is_refused() {
        let refused = |bytes: &[u8], declared| prepare(bytes, declared).err().unwrap();
        assert_eq!(refused(&mp3(1_700), None), VoiceError::Length);
        assert_eq!(refused(&mp3(20), None), VoiceError::Length);
        assert_eq!(refused(&mp3(100), Some("audio/aac")), VoiceError::Lie);
        assert_eq!(refused(&mp3(100), Some("text/html")), VoiceError::Lie);
        assert_eq!(refused(&[mp3(50), b"<script>alert(1)</script>".to_vec()].concat(), None), VoiceError::Damaged);
        assert_eq!(refused(&[mp3(50), vec![0; 7], mp3(50)].concat(), None), VoiceError::Damaged);
        assert_eq!(refused(&[mp3(50), aac(50)].concat(), None), VoiceError::Damaged);
        assert_eq!(refused(b"RIFF....WAVEfmt ", None), VoiceError::Type);
        assert!(!is_voice(b"\xFF\xD8\xFF\xE0") && !is_voice(b"\0\0\0\x18ftypheic") && is_voice(&m4a(2)));
        let film = boxed(b"moov", &[boxed(b"trak", &[]), boxed(b"trak", &[])].concat());
        assert_eq!(refused(&[boxed(b"ftyp", b"mp42"), film].concat(), None), VoiceError::Type);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), start in 0_usize..4) {
            let start: &[u8] = [b"".as_slice(), b"ID3\x04\0\0\0\0", b"\xFF\xF3\x38\xC4", b"\0\0\0\x10ftypM4A \0\0\0\0"][start];
            let bytes = [start, &bytes].concat();
            let _ = (is_voice(&bytes), prepare(&bytes, None));
        }

        /// A sound file with some bytes changed is refused or read; what is kept reads as the same once more.
        #[test]
        fn what_is_kept_reads_as_itself(which in 0_usize..3, changes in proptest::collection::vec((0_usize..3_000, any::<u8>()), 0..6)) {
            let mut bytes = [mp3(60), aac(60), m4a(60)][which].clone();
            for (at, byte) in changes {
                let length = bytes.len();
                bytes[at % length] = byte;
            }
            if let Ok(kept) = prepare(&bytes, None) {
                let again = prepare(&kept.bytes, Some(kept.content_type)).unwrap();
                prop_assert_eq!((again.content_type, again.duration_ms), (kept.content_type, kept.duration_ms));
                prop_assert_eq!(again.bytes, kept.bytes);
            }
        }
    }
}
