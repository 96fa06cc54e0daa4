//! Receives WeChat's pushes: proves where they come from, opens and reads them.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::crypto::{Key, is_signed};
use super::event;
pub use super::event::{Event, MediaOutcome};

/// A push whose timestamp is further away is refused; within it, [`Push::dedupe_key`] tells what was here before.
const STALE: TimeDelta = TimeDelta::minutes(5);

/// The query of a push, and of the check of the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PushQuery {
    /// Over token, timestamp and nonce.
    pub signature: String,
    /// When it was signed, in seconds.
    pub timestamp: String,
    /// Something random.
    pub nonce: String,
    /// What the check of the address wants back.
    pub echostr: Option<String>,
    /// Over token, timestamp, nonce and the encrypted message.
    pub msg_signature: Option<String>,
}

/// A push that was proved, opened and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The same each time WeChat sends it: it does so up to four times.
    pub dedupe_key: String,
    /// What happened.
    pub events: Vec<Event>,
}

/// Why a push is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PushError {
    /// `EncodingAESKey` is not 43 characters of base64.
    #[error("EncodingAESKey must be 43 characters of base64")]
    BadKey,
    /// Somebody else sent it, or the token differs.
    #[error("the signature does not match")]
    BadSignature,
    /// It was signed more than five minutes ago, or ahead.
    #[error("the timestamp is too far from now")]
    Stale,
    /// The body is not what WeChat documents; JSON must be chosen in the console.
    #[error("the message cannot be read")]
    Malformed,
    /// It is plain but should be encrypted, or the other way round.
    #[error("the message is not in the mode that is set up")]
    WrongMode,
    /// It does not open with this key.
    #[error("the message cannot be decrypted")]
    Undecryptable,
    /// It is meant for another mini-program.
    #[error("the message is for another appid")]
    WrongApp,
}

/// The message push as it is set up in the mini-program's console.
pub struct PushSettings {
    token: SecretString,
    key: Option<Key>,
    appid: String,
}

impl PushSettings {
    /// From `Token`, `EncodingAESKey` and the appid. With a key only encrypted pushes are taken (secure or compatible
    /// mode), without one only plain ones. Fails on a key that could never open anything.
    pub fn new(token: &str, encoding_aes_key: Option<&str>, appid: &str) -> Result<Self, PushError> {
        let key = encoding_aes_key.map(|key| Key::parse(key).ok_or(PushError::BadKey)).transpose()?;
        Ok(Self { token: token.into(), key, appid: appid.to_owned() })
    }

    /// Whether WeChat is checking the address: `echostr` is then the answer.
    #[must_use]
    pub fn verify_url(&self, query: &PushQuery) -> bool {
        is_signed(&query.signature, self.signed_parts(query))
    }

    /// Proves, opens and reads a push.
    pub fn open(&self, query: &PushQuery, body: &[u8], now: DateTime<Utc>) -> Result<Push, PushError> {
        let message = match &self.key {
            Some(key) => self.open_sealed(key, query, body, now)?,
            None => self.open_plain(query, body, now)?,
        };
        let events = event::parse(&message).ok_or(PushError::Malformed)?;
        Ok(Push { dedupe_key: event::dedupe_key(&message), events })
    }

    fn open_plain(&self, query: &PushQuery, body: &[u8], now: DateTime<Utc>) -> Result<Value, PushError> {
        if !self.verify_url(query) {
            return Err(PushError::BadSignature);
        }
        check_age(query, now)?;
        let message: Value = json(body)?;
        let sealed = message.get("Encrypt").is_some() && message.get("MsgType").is_none();
        if sealed { Err(PushError::WrongMode) } else { Ok(message) }
    }

    /// `signature` is good for any message; only `msg_signature` covers this one.
    fn open_sealed(&self, key: &Key, query: &PushQuery, body: &[u8], now: DateTime<Utc>) -> Result<Value, PushError> {
        #[derive(Deserialize)]
        struct Envelope {
            #[serde(rename = "Encrypt")]
            encrypt: Option<String>,
        }
        let Envelope { encrypt } = json(body)?;
        let encrypt = encrypt.ok_or(PushError::WrongMode)?;
        let mut parts = self.signed_parts(query);
        parts.push(&encrypt);
        if !is_signed(query.msg_signature.as_deref().unwrap_or_default(), parts) {
            return Err(PushError::BadSignature);
        }
        check_age(query, now)?;
        let (message, appid) = key.open(&encrypt).ok_or(PushError::Undecryptable)?;
        if appid != self.appid.as_bytes() {
            return Err(PushError::WrongApp);
        }
        json(&message)
    }

    fn signed_parts<'a>(&'a self, query: &'a PushQuery) -> Vec<&'a str> {
        vec![self.token.expose_secret(), &query.timestamp, &query.nonce]
    }
}

fn check_age(query: &PushQuery, now: DateTime<Utc>) -> Result<(), PushError> {
    let signed = query.timestamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let age = now - signed.ok_or(PushError::Stale)?;
    if age.abs() > STALE { Err(PushError::Stale) } else { Ok(()) }
}

fn json<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, PushError> {
    serde_json::from_slice(text).or(Err(PushError::Malformed))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::crypto::tests::{APPID, seal, sign};
    use super::*;

    const NOW: i64 = 1_714_036_504;
    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn receiver(key: Option<&str>) -> PushSettings {
        PushSettings::new("AAAAA", key, APPID).unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(NOW, 0).unwrap()
    }

    fn query(encrypt: Option<&str>, timestamp: i64) -> PushQuery {
        let timestamp = timestamp.to_string();
        let signed = |more: Option<&str>| sign(["AAAAA", &timestamp, "1514711492"].into_iter().chain(more).collect());
        PushQuery {
            signature: signed(None),
            msg_signature: encrypt.map(|encrypt| signed(Some(encrypt))),
            nonce: "1514711492".into(),
            echostr: Some("42".into()),
            timestamp: timestamp.clone(),
        }
    }

    fn message() -> String {
        json!({ "MsgType": "event", "Event": "wxa_media_check", "FromUserName": "o1", "CreateTime": NOW,
            "trace_id": "t", "errcode": -1008 })
        .to_string()
    }

    fn sealed(appid: &str) -> (String, Vec<u8>) {
        let encrypt = seal(KEY, [7; 16], &message(), appid);
        let body = json!({ "ToUserName": "gh_1", "Encrypt": encrypt }).to_string();
        (encrypt, body.into_bytes())
    }

    #[test]
    fn the_address_is_proved_as_in_wechats_example() {
        let mut query = query(None, NOW);
        assert_eq!(query.signature, "f464b24fc39322e44b38aa78f5edd27bd1441696");
        assert!(receiver(None).verify_url(&query));
        query.nonce.push('0');
        assert!(!receiver(None).verify_url(&query));
        assert!(!receiver(None).verify_url(&PushQuery::default()));
    }

    #[test]
    fn both_modes_read_the_same() {
        let plain = receiver(None).open(&query(None, NOW), message().as_bytes(), now()).unwrap();
        let (encrypt, body) = sealed(APPID);
        let secure = receiver(Some(KEY)).open(&query(Some(&encrypt), NOW), &body, now()).unwrap();
        assert_eq!(plain, secure);
        assert!(matches!(plain.events.as_slice(), [Event::MediaCheck { .. }]));
    }

    #[test]
    fn what_is_not_signed_is_refused() {
        let (encrypt, body) = sealed(APPID);
        let secure = receiver(Some(KEY));
        // A valid `signature` is no substitute.
        assert_eq!(secure.open(&query(None, NOW), &body, now()), Err(PushError::BadSignature));
        let mut only_plain = query(Some(&encrypt), NOW);
        only_plain.msg_signature = Some(only_plain.signature.clone());
        assert_eq!(secure.open(&only_plain, &body, now()), Err(PushError::BadSignature));
        let (other, _) = sealed("wx0");
        assert_eq!(secure.open(&query(Some(&other), NOW), &body, now()), Err(PushError::BadSignature));
        let unsigned = PushQuery { signature: String::new(), ..query(None, NOW) };
        assert_eq!(receiver(None).open(&unsigned, message().as_bytes(), now()), Err(PushError::BadSignature));
    }

    #[test]
    fn the_mode_that_is_set_up_counts() {
        let (encrypt, body) = sealed(APPID);
        let query = query(Some(&encrypt), NOW);
        assert_eq!(receiver(Some(KEY)).open(&query, message().as_bytes(), now()), Err(PushError::WrongMode));
        assert_eq!(receiver(None).open(&query, &body, now()), Err(PushError::WrongMode));
    }

    #[test]
    fn what_is_stale_malformed_or_for_others_is_refused() {
        let plain = receiver(None);
        for away in [-301, 301] {
            assert_eq!(plain.open(&query(None, NOW + away), message().as_bytes(), now()), Err(PushError::Stale));
        }
        assert!(plain.open(&query(None, NOW - 300), message().as_bytes(), now()).is_ok());
        assert_eq!(plain.open(&query(None, NOW), b"<xml>", now()), Err(PushError::Malformed));
        assert_eq!(plain.open(&query(None, NOW), b"{}", now()), Err(PushError::Malformed));

        let secure = receiver(Some(KEY));
        let (encrypt, body) = sealed("wx0");
        assert_eq!(secure.open(&query(Some(&encrypt), NOW), &body, now()), Err(PushError::WrongApp));
        let body = json!({ "Encrypt": "AAAA" }).to_string();
        assert_eq!(secure.open(&query(Some("AAAA"), NOW), body.as_bytes(), now()), Err(PushError::Undecryptable));
        assert_eq!(PushSettings::new("AAAAA", Some("short"), APPID).err(), Some(PushError::BadKey));
    }
}
