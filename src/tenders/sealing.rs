//! How bids are kept until the opening: encrypted, each bound to its tender, its bidder and its version, and without a name.

use entities::ids::{OrganisationId, TenderId, UserId};

use super::domain::{Bid, Sealed, commitment};
use crate::platform::code::Code;
use crate::platform::crypto::{Purpose, Unreadable, hex};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// A version of a bid, ready to be kept.
pub(super) struct Envelope {
    /// For the table.
    pub sealed: String,
    /// For the bidder and, later, for everybody.
    pub commitment: String,
    /// For the bidder.
    pub salt: String,
    /// For the bidder.
    pub document: String,
}

/// Stands for an organisation in a tender's bids: the same each time, and nobody without the key can tell whose it is.
pub(super) fn bidder(state: &AppState, tender: TenderId, organisation: OrganisationId) -> String {
    hex(&state.keys.sign(Purpose::Bidder, &[tender.0.as_bytes().as_slice(), organisation.0.as_bytes()].concat()))
}

/// A cipher text that was moved to another tender, bidder or version cannot be read there.
fn context(tender: TenderId, bidder: &str, version: i64) -> String {
    format!("bids.content:{tender}:{bidder}:{version}")
}

/// Seals a version of a bid; one without a bid says that it is withdrawn.
pub(super) fn seal(
    state: &AppState,
    tender: TenderId,
    bidder: &str,
    version: i64,
    by: UserId,
    bid: Option<&Bid>,
) -> Result<Envelope, Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::from(Code::Internal).caused_by(error.to_string());
    let document = bid.map(serde_json::to_string).transpose().map_err(|error| failed(&error))?.unwrap_or_default();
    let salt = hex(&ids::random_bytes::<16>());
    let commitment = commitment(tender, &salt, &document);
    let content = Sealed { document: document.clone(), salt: salt.clone(), by };
    let content = serde_json::to_string(&content).map_err(|error| failed(&error))?;
    let sealed = state.keys.encrypt(&context(tender, bidder, version), &content).map_err(|error| failed(&error))?;
    Ok(Envelope { sealed, commitment, salt, document })
}

/// Opens a version.
pub(super) fn unseal(
    state: &AppState,
    tender: TenderId,
    bidder: &str,
    version: i64,
    sealed: &str,
) -> Result<Sealed, Unreadable> {
    let content = state.keys.decrypt(&context(tender, bidder, version), sealed)?;
    serde_json::from_str(&content).map_err(|_bad| Unreadable)
}

/// Who asked a question, encrypted.
pub(super) fn asker(state: &AppState, tender: TenderId, person: UserId) -> Result<String, Problem> {
    let sealed = state.keys.encrypt(&format!("tender_questions.asker:{tender}"), &person.to_string());
    sealed.map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// Who asked a question.
pub(super) fn who_asked(state: &AppState, tender: TenderId, sealed: &str) -> Option<UserId> {
    state.keys.decrypt(&format!("tender_questions.asker:{tender}"), sealed).ok()?.parse().ok()
}
