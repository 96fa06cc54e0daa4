//! The two primitives of the message push: its signature and its secure mode.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::digest::CtOutput;
use secrecy::zeroize::Zeroizing;
use sha1::{Digest as _, Sha1};

use crate::platform::crypto::hex;

/// PKCS#7 to 32 bytes, though AES has blocks of 16.
const PAD: usize = 32;
/// So many random bytes come first.
const RANDOM: usize = 16;

/// `EncodingAESKey` is base64 of 32 bytes without its `=`; the last character may carry bits that belong to no byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether `signature` is the SHA-1 of the sorted parts, in hexadecimal. Takes as long wherever they differ.
pub(super) fn is_signed(signature: &str, mut parts: Vec<&str>) -> bool {
    parts.sort_unstable();
    let expected = hex(&Sha1::digest(parts.concat()));
    // Compared by their digests: of equal length whatever was sent.
    CtOutput::<Sha1>::new(Sha1::digest(signature)) == CtOutput::new(Sha1::digest(expected))
}

/// The key of the secure mode.
pub(super) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// From the 43 characters of `EncodingAESKey`.
    pub(super) fn parse(encoded: &str) -> Option<Self> {
        let bytes = Zeroizing::new(LENIENT.decode(encoded).ok()?);
        let key = <[u8; 32]>::try_from(bytes.as_slice()).ok()?;
        (encoded.len() == 43).then(|| Self(Zeroizing::new(key)))
    }

    /// What an `Encrypt` field holds: the message and the appid it is meant for.
    pub(super) fn open(&self, encrypted: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let sealed = STANDARD.decode(encrypted).ok()?;
        let iv: &[u8; 16] = self.0.first_chunk()?;
        let cipher = cbc::Decryptor::<Aes256>::new((&*self.0).into(), iv.into());
        let plain = cipher.decrypt_padded_vec::<NoPadding>(&sealed).ok()?;
        let (_, body) = unpad(&plain)?.split_at_checked(RANDOM)?;
        let (length, body) = body.split_first_chunk()?;
        let (message, appid) = body.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        Some((message.to_vec(), appid.to_vec()))
    }
}

/// Whoever gets here has shown a valid signature of what is unpadded: no padding oracle.
fn unpad(plain: &[u8]) -> Option<&[u8]> {
    let last = *plain.last()?;
    let pad = usize::from(last);
    let (body, padding) = plain.split_at_checked(plain.len().checked_sub(pad)?)?;
    ((1..=PAD).contains(&pad) && padding.iter().all(|byte| *byte == last)).then_some(body)
}

#[cfg(test)]
pub(super) mod tests {
    use aes::cipher::BlockModeEncrypt;

    use super::*;

    pub(crate) const APPID: &str = "wxba5fad812f8e6fb9";
    const SEALED: &str = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==";
    const MESSAGE: &str = r#"{"demo_resp":"good luck"}"#;

    /// WeChat's side.
    pub(crate) fn seal(encoded_key: &str, random: [u8; 16], message: &str, appid: &str) -> String {
        let key = Key::parse(encoded_key).unwrap();
        let mut plain = random.to_vec();
        plain.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        plain.extend(message.bytes().chain(appid.bytes()));
        let pad = PAD - plain.len() % PAD;
        plain.resize(plain.len() + pad, u8::try_from(pad).unwrap());
        let iv: &[u8; 16] = key.0.first_chunk().unwrap();
        let cipher = cbc::Encryptor::<Aes256>::new((&*key.0).into(), iv.into());
        STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(&plain))
    }

    pub(crate) fn sign(mut parts: Vec<&str>) -> String {
        parts.sort_unstable();
        hex(&Sha1::digest(parts.concat()))
    }

    #[test]
    fn signatures_match_wechats_examples() {
        let address = "f464b24fc39322e44b38aa78f5edd27bd1441696";
        assert!(is_signed(address, vec!["AAAAA", "1714036504", "1514711492"]));
        assert!(is_signed(address, vec!["1514711492", "AAAAA", "1714036504"]));
        let message = "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1";
        assert!(is_signed(message, vec!["AAAAA", "1713424427", "415670741", SEALED]));
        for wrong in ["", "f464", message, &address.replace('4', "5"), &format!("{address}0")] {
            assert!(!is_signed(wrong, vec!["AAAAA", "1714036504", "1514711492"]), "{wrong}");
        }
    }

    #[test]
    fn wechats_example_opens_and_is_sealed_alike() {
        let key = "A".repeat(43);
        assert_eq!(seal(&key, *b"707722b803182950", MESSAGE, APPID), SEALED);
        let (message, appid) = Key::parse(&key).unwrap().open(SEALED).unwrap();
        assert_eq!((message.as_slice(), appid.as_slice()), (MESSAGE.as_bytes(), APPID.as_bytes()));
    }

    #[test]
    fn every_padding_from_1_to_32_opens() {
        let key = "B".repeat(42) + "A";
        for length in 0..=PAD {
            let message = "x".repeat(length);
            let opened = Key::parse(&key).unwrap().open(&seal(&key, [7; 16], &message, APPID)).unwrap();
            assert_eq!(opened.0, message.as_bytes());
        }
    }

    #[test]
    fn a_key_is_43_characters_and_may_have_trailing_bits() {
        let stray = "A".repeat(42) + "B";
        assert!(Key::parse(&stray).unwrap().open(SEALED).is_some());
        for wrong in [String::new(), "A".repeat(42), "A".repeat(43) + "=", "A".repeat(44), "!".repeat(43)] {
            assert!(Key::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn rubbish_does_not_open() {
        let key = Key::parse(&"A".repeat(43)).unwrap();
        for rubbish in ["", "AAAA", "not base64", &"A".repeat(43), &("A".repeat(43) + "="), &"A".repeat(64)] {
            assert!(key.open(rubbish).is_none(), "{rubbish}");
        }
    }
}
