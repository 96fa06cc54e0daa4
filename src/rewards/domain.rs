//! Pickup codes: ten characters of Crockford's alphabet, which has no I, L, O and U, so that a code can be read aloud.

const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];
const LENGTH: usize = 10;

/// The code that the first fifty bits of a secret make.
pub fn code(secret: &[u8; 32]) -> String {
    let bits = secret.iter().take(7).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte)) >> 6;
    (0..LENGTH)
        .rev()
        .filter_map(|at| ALPHABET.get(usize::try_from((bits >> (5 * at)) & 31).unwrap_or_default()))
        .collect()
}

/// A code as people see it: `7K3QF-2M9XA`.
pub fn shown(code: &str) -> String {
    let (start, end) = code.split_at_checked(LENGTH / 2).unwrap_or((code, ""));
    format!("{start}-{end}")
}

/// What somebody typed or scanned as the code it stands for; nothing if it cannot be one. Case, spaces and dashes do not
/// matter, and letters that look like a digit are read as it.
pub fn read(typed: &str) -> Option<String> {
    let code: Option<String> = typed
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            letter => ALPHABET.contains(&letter).then_some(letter),
        })
        .collect();
    code.filter(|code| code.len() == LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_fifty_bits_make_the_code() {
        assert_eq!(code(&[0; 32]), "0000000000");
        assert_eq!(code(&[0xff; 32]), "ZZZZZZZZZZ");
        let mut secret = [0; 32];
        secret[0] = 0b0000_1000;
        secret[6] = 0b0100_0000;
        assert_eq!(code(&secret), "1000000001");
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        assert_eq!(read(" 7k3qf 2m9xa\n").as_deref(), Some("7K3QF2M9XA"));
        assert_eq!(read("oOiIlL0123").as_deref(), Some("0011110123"));
        for wrong in ["", "7K3QF-2M9X", "7K3QF-2M9XA0", "7K3QF-2M9XU", "七K3QF-2M9XA"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(secret: [u8; 32]) {
            let code = code(&secret);
            prop_assert_eq!(code.len(), LENGTH);
            prop_assert_eq!(read(&shown(&code)), Some(code.clone()));
            prop_assert_eq!(read(&code.to_lowercase()), Some(code));
        }

        #[test]
        fn anything_can_be_typed(typed in ".{0,40}") {
            let _ = read(&typed);
        }
    }
}
