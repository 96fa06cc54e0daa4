//! How notices are chained.

use chrono::{DateTime, Utc};
use entities::ids::PlaceId;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::platform::crypto::hex;

/// The `prev_hash` of a community's first notice.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Everything of a notice that its hash covers.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Link<'a> {
    pub community_id: PlaceId,
    /// 1 for a community's first notice, then without a gap.
    pub seq: i64,
    pub kind: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub subject_kind: Option<&'a str>,
    pub subject_id: Option<Uuid>,
    pub published_at: DateTime<Utc>,
    pub prev_hash: &'a str,
}

impl Link<'_> {
    /// SHA-256, in lower-case hex, over a JSON array without white space:
    ///
    /// `["linli.notice.v1", community_id, seq, kind, title, body, subject_kind, subject_id, published_at, prev_hash]`
    ///
    /// Each value is written as the API shows it (absent ones `null`), so that a reader redoes it with
    /// `JSON.stringify` over what `GET /notices/{id}` answers. An array of strings is read in one way only: no two different
    /// notices have one encoding.
    pub fn hash(&self) -> String {
        let Self { community_id, seq, kind, title, body, subject_kind, subject_id, published_at, prev_hash } = self;
        let text = json!([
            "linli.notice.v1",
            community_id,
            seq,
            kind,
            title,
            body,
            subject_kind,
            subject_id,
            published_at,
            prev_hash
        ]);
        hex(&Sha256::digest(text.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Owned {
        community: u128,
        seq: i64,
        texts: [String; 4],
        subject_kind: Option<String>,
        subject_id: Option<u128>,
        at: i64,
    }

    impl Owned {
        fn hash(&self) -> String {
            let [kind, title, body, prev_hash] = &self.texts;
            Link {
                community_id: Uuid::from_u128(self.community).into(),
                seq: self.seq,
                kind,
                title,
                body,
                subject_kind: self.subject_kind.as_deref(),
                subject_id: self.subject_id.map(Uuid::from_u128),
                published_at: DateTime::from_timestamp_micros(self.at).unwrap(),
                prev_hash,
            }
            .hash()
        }
    }

    fn notices() -> impl Strategy<Value = Owned> {
        // Letters that an encoding without quotes or lengths would confuse.
        let text = || "[a\",\\\\\u{0}\\[\\]票 ]{0,6}";
        let texts = (text(), text(), text(), text()).prop_map(<[String; 4]>::from);
        (
            any::<u128>(),
            1_i64..1000,
            texts,
            proptest::option::of(text()),
            proptest::option::of(any::<u128>()),
            0_i64..1 << 50,
        )
            .prop_map(|(community, seq, texts, subject_kind, subject_id, at)| Owned {
                community,
                seq,
                texts,
                subject_kind,
                subject_id,
                at,
            })
    }

    proptest! {
        #[test]
        fn a_change_of_any_single_field_changes_the_hash(one in notices(), other in notices(), field in 0_usize..9) {
            let mut edited = one.clone();
            match field {
                0 => edited.community = other.community,
                1 => edited.seq = other.seq,
                2..=5 => edited.texts[field - 2].clone_from(&other.texts[field - 2]),
                6 => edited.subject_kind = other.subject_kind,
                7 => edited.subject_id = other.subject_id,
                _ => edited.at = other.at,
            }
            prop_assert_eq!(edited == one, edited.hash() == one.hash());
        }

        #[test]
        fn text_moved_between_fields_changes_the_hash(one in notices(), from in 0_usize..4, to in 0_usize..4) {
            let mut edited = one.clone();
            edited.texts.swap(from, to);
            prop_assert_eq!(edited == one, edited.hash() == one.hash());
        }
    }

    #[test]
    fn the_encoding_never_changes() {
        let link = Link {
            community_id: Uuid::nil().into(),
            seq: 1,
            kind: "poll.result",
            title: "表决结果",
            body: "一行\n两行",
            subject_kind: None,
            subject_id: None,
            published_at: DateTime::UNIX_EPOCH,
            prev_hash: GENESIS,
        };
        // printf '%s' '["linli.notice.v1","00000000-…",1,"poll.result","表决结果","一行\n两行",null,null,"1970-01-01T00:00:00Z","000…"]' | sha256sum
        assert_eq!(link.hash(), "d7dff15f51cb12120cfbb202e889615fe25be0a48d01af2b9d60c8c8846cb8d4");
    }
}
