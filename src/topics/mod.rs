//! Topics 议题 and deliberations 议事恳谈: needs are gathered, talked over, and resolved.
//!
//! - A topic takes published needs of its community in ([`needs::gather`](crate::needs::gather)); each is in one topic at a time.
//! - A deliberation is a meeting over it: who is there signs in by the rotating code on the leader's screen
//!   ([`crate::platform::check_in`]) or is marked by the leader; somebody else confirms that, and then it earns points. Its
//!   minutes are recorded by one and confirmed by another; then everybody reads them.
//! - Residents of the place comment; comments pass content security and can be hidden.
//! - A topic is resolved once: a project is designed, it is handled directly, it is put to the vote, or it is not pursued. A vote
//!   is a poll about the topic, which takes the result in the transaction that closes the poll ([`resolving`]). What was
//!   decided is a notice.
//!
//! Lock order: the poll's row (while it closes), topic, deliberation, attendances by person, needs by id, the ledger's, a
//! notice's chain last.

mod comments;
mod domain;
mod http;
mod resolving;
mod service;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

/// The word for a topic as what a poll is about, and in the inbox.
pub(crate) const KIND: &str = "topic";
/// The word for a deliberation as a source of points.
pub(crate) const DELIBERATION: &str = "deliberation";

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "topics",
        routes: Some(http::routes),
        moderated: vec![(comments::KIND, &comments::Comments)],
        explained: vec![(DELIBERATION, &service::deliberations::Deliberations)],
        polled: vec![(KIND, &resolving::Topics)],
        verify: Some(|state| state.db.audit(service::RULES).boxed_local()),
        ..Capability::default()
    }
}
