//! Keys and what is done with them: signing, keyed hashes, encryption of personal data.

use std::fmt::Write;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::config::{self, ConfigError, Secrets};
use super::ids;

/// What a key derived from the master key is for; a signature for one purpose is none for another.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Signs access tokens.
    AccessToken,
    /// Signs refresh tokens.
    RefreshToken,
    /// Signs paging cursors.
    Cursor,
    /// Signs links to files.
    FileLink,
    /// Hashes phone numbers for search.
    PhoneHash,
    /// Signs a shift's check-in code.
    CheckIn,
    /// Hashes the name of somebody without a phone, so that they are counted as one person.
    AttendanceName,
    /// Signs the link to a calendar.
    Calendar,
    /// Proves that a pickup code is a redemption's.
    PickupCode,
    /// Makes the part of a pickup code that finds the redemption.
    PickupHandle,
    /// Signs, for everybody to check, where a board's notices stood when a day ended.
    NoticeHead,
    /// Hashes imported voucher codes, to find those that come twice.
    VoucherHash,
}

/// All keys of the server.
pub struct Keys {
    master: [u8; 32],
    /// The first encrypts; all decrypt. The id stands before the cipher text.
    data: Vec<(String, Aes256Gcm)>,
}

/// Encrypted text that cannot be read: a wrong key or a changed byte.
#[derive(Debug, thiserror::Error)]
#[error("encrypted text cannot be read")]
pub struct Unreadable;

impl Keys {
    /// Reads the keys from the settings or from the files they name.
    pub fn load(secrets: &Secrets) -> Result<Self, ConfigError> {
        let master =
            config::secret("secrets.master_key", secrets.master_key.as_ref(), secrets.master_key_file.as_deref())?;
        let data = config::secret("secrets.data_keys", secrets.data_keys.as_ref(), secrets.data_keys_file.as_deref())?;
        let mut keys = Self { master: key("secrets.master_key", &master)?, data: Vec::new() };
        for pair in data.expose_secret().split_whitespace() {
            let Some((id, hex)) = pair.split_once(':').filter(|(id, _)| id.chars().all(char::is_alphanumeric)) else {
                return Err(ConfigError::Invalid { name: "secrets.data_keys", why: "must be ID:HEX pairs".to_owned() });
            };
            let bytes = key("secrets.data_keys", &SecretString::from(hex))?;
            keys.data.push((id.to_owned(), Aes256Gcm::new(&bytes.into())));
        }
        if keys.data.is_empty() {
            return Err(ConfigError::Invalid { name: "secrets.data_keys", why: "must hold a key".to_owned() });
        }
        Ok(keys)
    }

    /// HMAC-SHA256 under the key of one purpose.
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        let key = mac(&self.master, format!("linli:{purpose:?}").as_bytes());
        mac(&key, message)
    }

    /// Whether `signature` (or a cut of at least 10 bytes) is that of `message`, in constant time.
    pub fn verify(&self, purpose: Purpose, message: &[u8], signature: &[u8]) -> bool {
        let expected = self.sign(purpose, message);
        let Some(expected) = expected.get(..signature.len()).filter(|cut| cut.len() >= 10) else { return false };
        expected.iter().zip(signature).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
    }

    /// Signs so that whoever has the [public key](Self::public_key) of the purpose can check it (Ed25519).
    pub fn sign_publicly(&self, purpose: Purpose, message: &[u8]) -> [u8; 64] {
        self.signing_key(purpose).sign(message).to_bytes()
    }

    /// What checks [`Self::sign_publicly`].
    pub fn public_key(&self, purpose: Purpose) -> [u8; 32] {
        self.signing_key(purpose).verifying_key().to_bytes()
    }

    fn signing_key(&self, purpose: Purpose) -> SigningKey {
        SigningKey::from_bytes(&self.sign(purpose, b"ed25519"))
    }

    /// Encrypts personal data (AES-256-GCM); `context` (say `users.phone`) must be named again to read it.
    pub fn encrypt(&self, context: &str, text: &str) -> Result<String, Unreadable> {
        let (id, cipher) = self.data.first().ok_or(Unreadable)?;
        let nonce: [u8; 12] = ids::random_bytes();
        let payload = Payload { msg: text.as_bytes(), aad: context.as_bytes() };
        let sealed = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_opaque| Unreadable)?;
        Ok(format!("{id}:{}", URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())))
    }

    /// Reads what [`Self::encrypt`] wrote under any of the keys.
    pub fn decrypt(&self, context: &str, sealed: &str) -> Result<String, Unreadable> {
        let (id, text) = sealed.split_once(':').ok_or(Unreadable)?;
        let (_, cipher) = self.data.iter().find(|(known, _)| known == id).ok_or(Unreadable)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_bad| Unreadable)?;
        let (nonce, sealed) = bytes.split_at_checked(12).ok_or(Unreadable)?;
        let nonce: [u8; 12] = nonce.try_into().map_err(|_bad| Unreadable)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let text = cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_opaque| Unreadable)?;
        String::from_utf8(text).map_err(|_bad| Unreadable)
    }
}

/// Whether an Ed25519 signature of a message was made with the key that belongs to `public_key`.
pub fn is_signed(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public_key)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().into())
        .unwrap_or_default()
}

fn key(name: &'static str, text: &SecretString) -> Result<[u8; 32], ConfigError> {
    unhex(text.expose_secret())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| ConfigError::Invalid { name, why: "must be 32 bytes in hexadecimal".to_owned() })
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(data: &str) -> Keys {
        let master_key = Some(SecretString::from("11".repeat(32)));
        let data_keys = Some(SecretString::from(data));
        Keys::load(&Secrets { master_key, master_key_file: None, data_keys, data_keys_file: None }).unwrap()
    }

    #[test]
    fn a_rotated_key_still_reads_what_the_old_one_wrote() {
        let old = format!("a:{}", "22".repeat(32));
        let sealed = keys(&old).encrypt("users.phone", "13800000001").unwrap();
        let rotated = keys(&format!("b:{} {old}", "33".repeat(32)));
        assert_eq!(rotated.decrypt("users.phone", &sealed).unwrap(), "13800000001");
        assert!(rotated.encrypt("users.phone", "x").unwrap().starts_with("b:"));
        assert!(rotated.decrypt("users.name", &sealed).is_err(), "another context");
    }

    #[test]
    fn anybody_checks_what_was_signed_publicly() {
        let keys = keys(&format!("a:{}", "22".repeat(32)));
        let (public, signature) = (keys.public_key(Purpose::NoticeHead), keys.sign_publicly(Purpose::NoticeHead, b"m"));
        assert!(is_signed(&public, b"m", &signature));
        assert!(!is_signed(&public, b"n", &signature));
        assert!(!is_signed(&keys.public_key(Purpose::Cursor), b"m", &signature));
    }

    #[test]
    fn a_signature_is_good_for_its_purpose_and_message_only() {
        let keys = keys(&format!("a:{}", "22".repeat(32)));
        let signature = keys.sign(Purpose::Cursor, b"m");
        assert!(keys.verify(Purpose::Cursor, b"m", &signature));
        assert!(keys.verify(Purpose::Cursor, b"m", &signature[..16]));
        assert!(!keys.verify(Purpose::Cursor, b"m", &signature[..4]));
        assert!(!keys.verify(Purpose::FileLink, b"m", &signature));
        assert!(!keys.verify(Purpose::Cursor, b"n", &signature));
    }
}
