//! The message push's signatures and its secure mode.
//!
//! Public because the receiving side of a test needs the same two sides of it. A backend should not take its own
//! implementation from here: two that were written apart check each other.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest as _, Sha1};

use crate::ids;

/// PKCS#7 to 32 bytes, though AES has blocks of 16.
const PAD: usize = 32;
/// 16 random bytes and a 32-bit length stand before the message.
const HEADER: usize = 20;

/// `EncodingAESKey` is 43 characters: the last one may carry bits that belong to no byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a push could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// `EncodingAESKey` is not 43 characters of base64.
    #[error("EncodingAESKey must be 43 characters of base64")]
    Key,
    /// What was received is not something WeChat would have sent.
    #[error("the encrypted message is malformed")]
    Malformed,
    /// The message was meant for another mini-program.
    #[error("the message is for another appid")]
    Appid,
    /// The message is longer than its length field can say.
    #[error("the message is too long")]
    TooLong,
}

/// `sha1` over the sorted parts, in hexadecimal: both `signature` (token, timestamp, nonce) and `msg_signature` (those
/// and `Encrypt`).
#[must_use]
pub fn signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    hex(&Sha1::digest(sorted.concat().as_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Seals and opens messages of one mini-program's push.
#[derive(Clone)]
pub struct PushCipher {
    key: [u8; 32],
    iv: [u8; 16],
    appid: String,
}

impl PushCipher {
    /// From the 43 characters of `EncodingAESKey` and the appid.
    pub fn new(encoding_aes_key: &str, appid: &str) -> Result<Self, CryptoError> {
        let key = LENIENT.decode(encoding_aes_key).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = key.filter(|_| encoding_aes_key.len() == 43).ok_or(CryptoError::Key)?;
        let iv = *key.first_chunk().ok_or(CryptoError::Key)?;
        Ok(Self { key, iv, appid: appid.to_owned() })
    }

    /// The `Encrypt` field for a message.
    pub fn seal(&self, message: &str) -> Result<String, CryptoError> {
        self.seal_with(ids::random16(), message)
    }

    fn seal_with(&self, random: [u8; 16], message: &str) -> Result<String, CryptoError> {
        let length = u32::try_from(message.len()).or(Err(CryptoError::TooLong))?;
        let mut plain = Vec::with_capacity(HEADER + message.len() + self.appid.len() + PAD);
        plain.extend_from_slice(&random);
        plain.extend_from_slice(&length.to_be_bytes());
        plain.extend_from_slice(message.as_bytes());
        plain.extend_from_slice(self.appid.as_bytes());
        let pad = PAD - plain.len() % PAD;
        plain.resize(plain.len() + pad, u8::try_from(pad).or(Err(CryptoError::Malformed))?);
        let cipher = cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.iv.into());
        Ok(STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(&plain)))
    }

    /// The message inside an `Encrypt` field.
    pub fn open(&self, encrypted: &str) -> Result<String, CryptoError> {
        let sealed = STANDARD.decode(encrypted).or(Err(CryptoError::Malformed))?;
        let cipher = cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.iv.into());
        let plain = cipher.decrypt_padded_vec::<NoPadding>(&sealed).or(Err(CryptoError::Malformed))?;
        let pad = plain.last().map(|pad| usize::from(*pad)).filter(|pad| (1..=PAD).contains(pad));
        let end = pad.and_then(|pad| plain.len().checked_sub(pad)).ok_or(CryptoError::Malformed)?;
        let body = plain.get(16..end).ok_or(CryptoError::Malformed)?;
        let (length, body) = body.split_first_chunk().ok_or(CryptoError::Malformed)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).or(Err(CryptoError::Malformed))?;
        let (message, appid) = body.split_at_checked(length).ok_or(CryptoError::Malformed)?;
        if appid != self.appid.as_bytes() {
            return Err(CryptoError::Appid);
        }
        String::from_utf8(message.to_vec()).or(Err(CryptoError::Malformed))
    }
}

impl std::fmt::Debug for PushCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushCipher").field("appid", &self.appid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPID: &str = "wxba5fad812f8e6fb9";
    const SEALED: &str = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==";

    fn cipher() -> PushCipher {
        PushCipher::new(&"A".repeat(43), APPID).unwrap()
    }

    #[test]
    fn signatures_match_wechats_examples() {
        assert_eq!(signature(&["AAAAA", "1714036504", "1514711492"]), "f464b24fc39322e44b38aa78f5edd27bd1441696");
        assert_eq!(
            signature(&["AAAAA", "1713424427", "415670741", SEALED]),
            "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
        );
    }

    #[test]
    fn sealing_matches_wechats_example() {
        let sealed = cipher().seal_with(*b"707722b803182950", r#"{"demo_resp":"good luck"}"#).unwrap();
        assert_eq!(sealed, SEALED);
        assert_eq!(cipher().open(SEALED).unwrap(), r#"{"demo_resp":"good luck"}"#);
    }

    #[test]
    fn what_is_sealed_opens_at_every_padding() {
        for length in 0..70 {
            let message = "里".repeat(length);
            assert_eq!(cipher().open(&cipher().seal(&message).unwrap()).unwrap(), message);
        }
    }

    #[test]
    fn a_key_may_have_stray_trailing_bits() {
        let stray = format!("{}B", "A".repeat(42));
        assert_eq!(PushCipher::new(&stray, APPID).unwrap().open(SEALED).unwrap(), r#"{"demo_resp":"good luck"}"#);
        assert_eq!(PushCipher::new("short", APPID).unwrap_err(), CryptoError::Key);
    }

    #[test]
    fn another_appid_and_rubbish_are_refused() {
        let other = PushCipher::new(&"A".repeat(43), "wx0000000000000000").unwrap();
        assert_eq!(other.open(SEALED), Err(CryptoError::Appid));
        for rubbish in ["", "AAAA", "not base64", &"A".repeat(44), &"A".repeat(64)] {
            assert!(cipher().open(rubbish).is_err(), "{rubbish}");
        }
    }
}
