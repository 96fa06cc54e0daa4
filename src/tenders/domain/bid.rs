//! What a bid says, and the commitment to it that its bidder keeps.

use chrono::{DateTime, Utc};
use entities::ids::{OrganisationId, TenderId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{Term, check_terms};
use crate::platform::crypto::hex;
use crate::platform::mistake::Mistake;

/// What an organisation offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bid {
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// At most the tender's ceiling.
    pub price_fen: i64,
    /// How the work is to be done.
    pub plan: String,
    /// Who does it: roles and qualifications.
    pub team: String,
    /// The parts that are paid one by one; together they make the price.
    pub milestones: Vec<Term>,
    /// What is to be reached, in numbers.
    pub indicators: Vec<Indicator>,
}

/// A number to be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Indicator {
    /// 服务老人
    pub title: String,
    /// How many.
    pub target: i64,
    /// 人次
    pub unit: String,
}

/// What is encrypted of a bid.
#[derive(Serialize, Deserialize)]
pub struct Sealed {
    /// The [`Bid`] as text, exactly as its commitment covers it.
    pub document: String,
    /// Makes the commitment tell nothing of a document that can be guessed.
    pub salt: String,
    /// Who handed it in.
    pub by: UserId,
}

/// Within what a bid must stay.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The highest price.
    pub ceiling_fen: i64,
    /// Milestones are due after it.
    pub after: DateTime<Utc>,
    /// Nothing is due later.
    pub until: DateTime<Utc>,
}

impl Bid {
    /// What is wrong with it, if anything.
    pub fn check(&self, limits: Limits) -> Result<(), Mistake> {
        if self.price_fen < 1 || self.price_fen > limits.ceiling_fen {
            return Err(Mistake::at("/price_fen", "报价须大于零且不超过最高限价 / above zero, at most the ceiling"));
        }
        for (at, term) in self.milestones.iter().enumerate() {
            if term.due_at <= limits.after || term.due_at > limits.until {
                let detail =
                    "须在投标截止之后、计划实施期之内 / after the closing and within the programme's delivery phase";
                return Err(Mistake::at(format!("/milestones/{at}/due_at"), detail));
            }
        }
        check_terms(self.price_fen, limits.ceiling_fen, &[], &self.milestones)
    }
}

/// SHA-256, in lower-case hex, over the JSON array `["linli.bid.v1", tender_id, salt, document]` without white space, in which
/// `document` is the bid as one JSON text. Who has the receipt can redo it after the opening.
pub fn commitment(tender: TenderId, salt: &str, document: &str) -> String {
    hex(&Sha256::digest(json!(["linli.bid.v1", tender, salt, document]).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use uuid::Uuid;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn bid(price: i64, amounts: &[i64]) -> Bid {
        let term = |(seq, amount): (usize, &i64)| Term {
            seq: i64::try_from(seq).unwrap() + 1,
            title: "一期".to_owned(),
            due_at: at(10 + i64::try_from(seq).unwrap()),
            amount_fen: *amount,
        };
        Bid {
            organisation_id: Uuid::nil().into(),
            price_fen: price,
            plan: "上门".to_owned(),
            team: "社工两名".to_owned(),
            milestones: amounts.iter().enumerate().map(term).collect(),
            indicators: Vec::new(),
        }
    }

    #[test]
    fn a_bid_stays_within_the_ceiling_and_its_milestones_make_the_price() {
        let limits = Limits { ceiling_fen: 1000, after: at(5), until: at(30) };
        let pointer = |bid: Bid| bid.check(limits).err().map(|mistake| mistake.pointer);
        assert_eq!(pointer(bid(1000, &[400, 600])), None);
        assert_eq!(pointer(bid(1001, &[401, 600])).as_deref(), Some("/price_fen"));
        assert_eq!(pointer(bid(0, &[])).as_deref(), Some("/price_fen"));
        assert_eq!(pointer(bid(1000, &[400, 599])).as_deref(), Some("/milestones"));
        assert_eq!(pointer(bid(1000, &[i64::MAX, i64::MAX])).as_deref(), Some("/milestones"));
        assert_eq!(pointer(bid(1000, &[])).as_deref(), Some("/milestones"));
        assert_eq!(pointer(bid(1000, &[1000, 0])).as_deref(), Some("/milestones/1/amount_fen"));
        let mut late = bid(1000, &[1000]);
        late.milestones[0].due_at = at(31);
        assert_eq!(pointer(late).as_deref(), Some("/milestones/0/due_at"));
    }

    #[test]
    fn a_commitment_covers_tender_salt_and_document() {
        let tender = |n| TenderId(Uuid::from_u128(n));
        let one = commitment(tender(1), "s", "{}");
        assert_eq!(one, commitment(tender(1), "s", "{}"));
        assert!(one != commitment(tender(2), "s", "{}") && one != commitment(tender(1), "t", "{}"));
        assert_ne!(one, commitment(tender(1), "s", "{ }"));
    }
}
