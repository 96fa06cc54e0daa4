//! Case files 个案: what social workers in charge keep of one person's trouble; nobody else reads it.
//!
//! - A confidential need ([`open`]) or a project's work with one person ([`open_for_project`]) opens a case. Whom it is about and
//!   what it is are stored encrypted and go nowhere else: no list, search, moderation queue, content security, notice, figure
//!   or export, and no message holds a word of it. To whoever is not its handler a case does not exist (404).
//! - Its *handlers* are the social workers whose grant lies nearest to its place, chosen when it is opened
//!   ([`domain::in_charge`]); later the district's supervisor of cases adds and removes them, without reading the case. A handler
//!   reads only while they also hold `SocialWork` at the place, and each reading is in the audit log.
//! - Notes are only ever added. Whoever opened a case sees that it was received and whether it is open, and nothing is sent to
//!   their phone: somebody else may be looking at it.
//!
//! Lock order: the case's row, then its handlers.

mod domain;
mod http;
mod service;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use domain::RECEIVED;
pub use service::{NewCase, count_of_project, open, open_for_project};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "cases",
        routes: Some(http::routes),
        verify: Some(|state| state.db.audit(service::RULES).boxed_local()),
        ..Capability::default()
    }
}
