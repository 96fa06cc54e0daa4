//! Pickup codes: twenty characters of Crockford's alphabet, which has no I, L, O and U, so that a code can be read aloud.
//!
//! The first seven (35 bits) are the *handle*: it stays, is stored, and only finds the redemption. The other thirteen
//! (65 bits) are the *proof*: an HMAC over the redemption and the number of the minute since it was made. It is stored
//! nowhere and another every minute. At most two proofs are good at a time, so that a guess hits with 2⁻⁶⁴.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];
const HANDLE: usize = 7;
const PROOF: usize = 13;
const GROUP: usize = 5;

/// What a scanned QR code has before its code.
pub const SCHEME: &str = "linli://pick-up/";

/// A code is shown for so long.
pub const STEP: TimeDelta = TimeDelta::seconds(60);
/// The one before it is good for so long after, for who is just being scanned.
pub const GRACE: TimeDelta = TimeDelta::seconds(30);
/// A code that was good so many steps ago is recognised, and refused with the advice to show the new one.
const REMEMBERED: i64 = 60;

/// A code, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Finds the redemption.
    pub handle: String,
    /// Proves that its owner showed it a moment ago.
    pub proof: String,
}

/// How a proof that is the redemption's stands to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It is the one shown, or was a moment ago.
    Good,
    /// It was shown earlier.
    Old,
}

/// The handle that the first bits of a secret make.
pub fn handle(secret: &[u8; 32]) -> String {
    letters(secret, HANDLE)
}

/// The proof that the first bits of a secret make.
pub fn proof(secret: &[u8; 32]) -> String {
    letters(secret, PROOF)
}

fn letters(secret: &[u8; 32], count: usize) -> String {
    let bits = secret.iter().take(16).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    (1..=count)
        .filter_map(|at| ALPHABET.get(usize::try_from((bits >> (128 - 5 * at)) & 31).unwrap_or_default()))
        .collect()
}

/// The number of the step that a moment lies in, counted from when the redemption was made.
pub fn step(made_at: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (now - made_at).num_seconds().div_euclid(STEP.num_seconds())
}

/// When the code of a step gives way to the next.
pub fn step_ends(made_at: DateTime<Utc>, step: i64) -> DateTime<Utc> {
    made_at + TimeDelta::seconds(STEP.num_seconds().saturating_mul(step.saturating_add(1)))
}

/// What the secret of a step's proof signs.
pub fn message(redemption: Uuid, step: i64) -> [u8; 24] {
    let mut message = [0; 24];
    let bytes = redemption.into_bytes().into_iter().chain(step.to_be_bytes());
    message.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    message
}

/// Whether a proof is the redemption's, and how old; `proof_of` gives the proof of a step.
pub fn age(typed: &str, made_at: DateTime<Utc>, now: DateTime<Utc>, proof_of: impl Fn(i64) -> String) -> Option<Age> {
    let current = step(made_at, now);
    let of = |step: i64| step >= 0 && same(&proof_of(step), typed);
    let just_before = now < step_ends(made_at, current - 1) + GRACE;
    if of(current) || (just_before && of(current - 1)) {
        return Some(Age::Good);
    }
    (current - REMEMBERED..current).any(of).then_some(Age::Old)
}

/// In a time that does not tell where two proofs differ.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

/// A code as people see it: `7K3QF-2M9XA-0B1CD-EF2GH`.
pub fn shown(handle: &str, proof: &str) -> String {
    let letters: Vec<char> = handle.chars().chain(proof.chars()).collect();
    letters.chunks(GROUP).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// What somebody typed or scanned as the code it stands for; nothing if it cannot be one. Case, spaces and dashes do not
/// matter, and letters that look like a digit are read as it.
pub fn read(typed: &str) -> Option<Typed> {
    let typed = typed.trim();
    let code: Option<String> = typed
        .strip_prefix(SCHEME)
        .unwrap_or(typed)
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            letter => ALPHABET.contains(&letter).then_some(letter),
        })
        .collect();
    let code = code.filter(|code| code.len() == HANDLE + PROOF)?;
    let (handle, proof) = code.split_at_checked(HANDLE)?;
    Some(Typed { handle: handle.to_owned(), proof: proof.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_bits_make_the_letters() {
        assert_eq!(handle(&[0; 32]), "0000000");
        assert_eq!(proof(&[0xff; 32]), "ZZZZZZZZZZZZZ");
        let mut secret = [0; 32];
        secret[0] = 0b0000_1000;
        secret[8] = 0b1000_0000;
        assert_eq!(proof(&secret), "1000000000001", "65 bits");
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let read_as = |typed: &str| read(typed).map(|code| format!("{}{}", code.handle, code.proof));
        assert_eq!(read_as(" 7k3qf 2m9xa-7k3qf 2m9xa\n").as_deref(), Some("7K3QF2M9XA7K3QF2M9XA"));
        assert_eq!(read_as("oOiIlL0123oOiIlL0123").as_deref(), Some("00111101230011110123"));
        assert_eq!(read_as("linli://pick-up/7K3QF-2M9XA-7K3QF-2M9XA").as_deref(), Some("7K3QF2M9XA7K3QF2M9XA"));
        for wrong in
            ["", "7K3QF-2M9XA-7K3QF-2M9X", "7K3QF-2M9XA", "7K3QF-2M9XA-7K3QF-2M9XU", "七K3QF-2M9XA-7K3QF-2M9XA"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_is_good_for_a_minute_and_a_moment() {
        let made = DateTime::UNIX_EPOCH;
        let proof_of = |step: i64| format!("{step:013}");
        let at = |seconds| made + TimeDelta::seconds(seconds);
        let age_of = |step: i64, seconds| age(&proof_of(step), made, at(seconds), proof_of);
        for (seconds, expected) in [(0, Age::Good), (59, Age::Good), (60, Age::Good), (89, Age::Good), (90, Age::Old)] {
            assert_eq!(age_of(0, seconds), Some(expected), "{seconds}");
        }
        assert_eq!(age_of(0, 3600), Some(Age::Old));
        assert_eq!(age_of(0, 3660), None, "forgotten");
        assert_eq!(age_of(1, 59), None, "not yet");
        assert_eq!(age("9999999999999", made, at(5), proof_of), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(one: [u8; 32], other: [u8; 32]) {
            let (handle, proof) = (handle(&one), proof(&other));
            let code = shown(&handle, &proof);
            prop_assert_eq!(code.len(), 23);
            prop_assert_eq!(read(&code.to_lowercase()), Some(Typed { handle, proof }));
        }

        #[test]
        fn the_code_shown_is_always_good(seconds in 0_i64..400_000) {
            let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
            let proof_of = |step: i64| format!("{step:013}");
            let current = step(DateTime::UNIX_EPOCH, now);
            prop_assert_eq!(age(&proof_of(current), DateTime::UNIX_EPOCH, now, proof_of), Some(Age::Good));
            prop_assert!(step_ends(DateTime::UNIX_EPOCH, current) > now);
        }

        #[test]
        fn anything_can_be_typed(typed in ".{0,40}") {
            let _ = read(&typed);
        }
    }
}
