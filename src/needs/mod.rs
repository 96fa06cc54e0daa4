//! What residents say their neighbourhood needs, and who supports it.
//!
//! - A need is stored, its pictures are taken ([`files::attach`](crate::files::attach)) and it goes to content security
//!   ([`moderation::submit`](crate::moderation::submit)) in one transaction. Until it passes, its author and moderators see it.
//! - `state` says how far a need is; `hidden` is the moderators' and stands beside it, so that restoring loses nothing.
//!   [`domain`] holds both rules: who sees a need, and when it takes support.
//! - A support is a row; `support_count` moves by one with it in the same transaction. `linli verify` counts again.
//! - A project takes needs up ([`adopt`]): each is in one project at most, and its author is told and rewarded.
//!
//! Lock order: moderation item, needs by id, their pictures. A support locks the need alone.

mod adoption;
mod domain;
mod http;
mod moderated;
mod resolving;
mod service;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use adoption::{adopt, release_of_project};
pub use resolving::resolve;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "needs",
        routes: Some(http::routes),
        moderated: vec![(moderated::KIND, &moderated::Needs)],
        explained: vec![(adoption::KIND, &adoption::Needs)],
        verify: Some(|state| state.db.audit(service::RULES).boxed_local()),
        ..Capability::default()
    }
}
