//! How notices are chained, and what objections do to them.

use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{NoticeId, ObjectionId, PlaceId};
use entities::notices::ObjectionState;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::platform::calendar;
use crate::platform::crypto::hex;

/// The `prev_hash` of a board's first notice.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Everything of a notice that its hash covers.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the columns of the table")]
pub struct Link<'a> {
    /// Whose board.
    pub community_id: PlaceId,
    /// 1 for a board's first notice, then without a gap.
    pub seq: i64,
    pub kind: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub subject_kind: Option<&'a str>,
    pub subject_id: Option<Uuid>,
    pub published_at: DateTime<Utc>,
    pub objections_until: Option<DateTime<Utc>>,
    pub corrects_id: Option<NoticeId>,
    pub commitment: Option<&'a str>,
    pub prev_hash: &'a str,
}

impl Link<'_> {
    /// The oldest version of the encoding that can say all of it: what needs none of the later fields stays readable for whoever
    /// knows version 1 only.
    pub fn version(&self) -> i32 {
        if self.objections_until.is_none() && self.corrects_id.is_none() && self.commitment.is_none() { 1 } else { 2 }
    }

    /// SHA-256, in lower-case hex, over a JSON array without white space:
    ///
    /// - version 1: `["linli.notice.v1", community_id, seq, kind, title, body, subject_kind, subject_id, published_at, prev_hash]`
    /// - version 2: `["linli.notice.v2", community_id, seq, kind, title, body, subject_kind, subject_id, published_at,
    ///   objections_until, corrects_id, commitment, prev_hash]`
    ///
    /// Each value is written as the API shows it (absent ones `null`), so that a reader redoes it with
    /// `JSON.stringify` over what `GET /notices/{id}` answers. An array of strings is read in one way only: no two different
    /// notices have one encoding.
    pub fn hash(&self) -> String {
        let Self { community_id, seq, kind, title, body, subject_kind, subject_id, published_at, prev_hash, .. } = self;
        let text = if self.version() == 1 {
            json!([
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
            ])
        } else {
            json!([
                "linli.notice.v2",
                community_id,
                seq,
                kind,
                title,
                body,
                subject_kind,
                subject_id,
                published_at,
                self.objections_until,
                self.corrects_id,
                self.commitment,
                prev_hash
            ])
        };
        hex(&Sha256::digest(text.to_string()))
    }
}

/// What stands in public for a document that does not: SHA-256 over `salt:document`, the salt being 64 hexadecimal digits of
/// chance. It shows nothing of the document, and whoever is given salt and document can check that it was this one.
pub fn commitment(salt: &str, document: &str) -> String {
    hex(&Sha256::digest(format!("{salt}:{document}")))
}

/// What the notice of a reply commits to: a JSON array without white space.
pub fn objection_document(id: ObjectionId, text: &str, outcome: ObjectionState, reply: &str) -> String {
    json!(["linli.objection.v1", id, text, outcome, reply]).to_string()
}

/// Where a notice stands that people may object to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// People may object until then.
    Open(DateTime<Utc>),
    /// The time is over, and an objection still waits for its reply.
    Contested,
    /// An objection was right: what the notice says must not take effect.
    Upheld,
    /// The time is over and no objection stands: what the notice says may take effect. It stays so.
    Clear,
}

impl Standing {
    /// Of a window whose end is known, with so many objections that wait and that were upheld.
    pub fn of(until: DateTime<Utc>, closed: bool, waiting: u64, upheld: u64, now: DateTime<Utc>) -> Self {
        match (waiting, upheld) {
            (_, 1..) => Self::Upheld,
            _ if !closed && now < until => Self::Open(until),
            (1.., _) => Self::Contested,
            _ => Self::Clear,
        }
    }

    /// The word of the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Contested => "contested",
            Self::Upheld => "upheld",
            Self::Clear => "clear",
        }
    }
}

/// Until when an objection is to be answered: the end of a day in China.
pub fn reply_due(now: DateTime<Utc>, days: i64) -> DateTime<Utc> {
    calendar::day_end(calendar::day(now) + TimeDelta::days(days))
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
        until: Option<i64>,
        corrects: Option<u128>,
        commitment: Option<String>,
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
                objections_until: self.until.map(|at| DateTime::from_timestamp_micros(at).unwrap()),
                corrects_id: self.corrects.map(|id| Uuid::from_u128(id).into()),
                commitment: self.commitment.as_deref(),
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
            proptest::option::of(0_i64..1 << 50),
            proptest::option::of(any::<u128>()),
            proptest::option::of(text()),
        )
            .prop_map(|(community, seq, texts, subject_kind, subject_id, at, until, corrects, commitment)| {
                Owned { community, seq, texts, subject_kind, subject_id, at, until, corrects, commitment }
            })
    }

    proptest! {
        #[test]
        fn a_change_of_any_single_field_changes_the_hash(one in notices(), other in notices(), field in 0_usize..12) {
            let mut edited = one.clone();
            match field {
                0 => edited.community = other.community,
                1 => edited.seq = other.seq,
                2..=5 => edited.texts[field - 2].clone_from(&other.texts[field - 2]),
                6 => edited.subject_kind = other.subject_kind,
                7 => edited.subject_id = other.subject_id,
                8 => edited.at = other.at,
                9 => edited.until = other.until,
                10 => edited.corrects = other.corrects,
                _ => edited.commitment.clone_from(&other.commitment),
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
            objections_until: None,
            corrects_id: None,
            commitment: None,
            prev_hash: GENESIS,
        };
        assert_eq!(link.version(), 1);
        // printf '%s' '["linli.notice.v1","00000000-…",1,"poll.result","表决结果","一行\n两行",null,null,"1970-01-01T00:00:00Z","000…"]' | sha256sum
        assert_eq!(link.hash(), "d7dff15f51cb12120cfbb202e889615fe25be0a48d01af2b9d60c8c8846cb8d4");
    }

    #[test]
    fn what_version_1_cannot_say_is_version_2() {
        let link = Link {
            community_id: Uuid::nil().into(),
            seq: 2,
            kind: "tender.award",
            title: "中选公示",
            body: "春晖",
            subject_kind: None,
            subject_id: None,
            published_at: DateTime::UNIX_EPOCH,
            objections_until: Some(DateTime::UNIX_EPOCH + TimeDelta::days(7)),
            corrects_id: None,
            commitment: None,
            prev_hash: GENESIS,
        };
        assert_eq!(link.version(), 2);
        // printf '%s' '["linli.notice.v2","00000000-…",2,"tender.award","中选公示","春晖",null,null,"1970-01-01T00:00:00Z",
        //   "1970-01-08T00:00:00Z",null,null,"000…"]' | sha256sum
        assert_eq!(link.hash(), "6c677a9ce46f6fd5e3c0cc5d61cbe4ce6c8af75d0339cae0019fd46422f808c2");
    }

    #[test]
    fn a_commitment_is_redone_with_the_salt() {
        // printf '%s' "$(printf '0%.0s' $(seq 64)):甲" | sha256sum
        assert_eq!(commitment(GENESIS, "甲"), "9197088a854e5060d47e55c0925cc54857c8a2ad6e848697423340d3ce8b3b1c");
        assert_ne!(commitment(GENESIS, "甲"), commitment(GENESIS, "乙"));
    }

    #[test]
    fn an_objection_that_was_right_stands_above_everything_and_one_that_waits_above_the_end() {
        let (now, until) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::days(1));
        let of = |closed, waiting, upheld, now| Standing::of(until, closed, waiting, upheld, now);
        assert_eq!(of(false, 0, 0, now), Standing::Open(until));
        assert_eq!(of(false, 2, 0, now), Standing::Open(until));
        assert_eq!(of(false, 2, 1, now), Standing::Upheld);
        assert_eq!(of(false, 1, 0, until), Standing::Contested, "the end itself is over");
        assert_eq!(of(false, 0, 0, until), Standing::Clear);
        assert_eq!(of(true, 0, 0, now), Standing::Clear, "a clock that goes wrong opens nothing again");
    }
}
