//! What residents say their neighbourhood needs, and who supports it.
//!
//! - A need is stored, its pictures are taken ([`files::attach`](crate::files::attach)) and it goes to content security
//!   ([`moderation::submit`](crate::moderation::submit)) in one transaction. Until it passes, its author and moderators see it.
//! - `state` says how far a need is; `hidden` is the moderators' and stands beside it, so that restoring loses nothing.
//!   [`domain`] holds both rules: who sees a need, and when it takes support.
//! - A support is a row; `support_count` moves by one with it in the same transaction. `linli verify` counts again.
//! - A project takes needs up ([`adopt`]): each is in one project at most, and its author is told and rewarded.
//!
//! - Staff answer in public within the days of the category ([`domain::due`]); what is overdue the street is told of, once.
//! - A need can be recorded for somebody else: its author is that person, never whoever recorded it, or nobody with an account.
//! - One need goes into another with all its supporters, and comes out again as it was (`service::merging`).
//! - Open needs that are like what somebody is about to write are found by their words (`domain::words`, `service::similar`).
//! - What is said in confidence becomes no need: it opens a case ([`crate::cases`]) and leaves nothing here.
//!
//! Lock order: moderation item, needs by id, supports and pictures and words of these, a notice's chain last.

mod adoption;
mod domain;
mod http;
mod moderated;
mod service;

use std::time::Duration;

use futures_util::FutureExt;

use self::service::{answers, similar, telling};
use crate::platform::capability::{Capability, Schedule};

pub use adoption::{adopt, release_of_project};
pub use domain::words::{Term, Terms, terms as words};
pub use service::gathering::{Ending, end, gather, release, resolve_of_project};
pub(crate) use service::merging::merge;
pub(crate) use service::similar::refresh as index;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "needs",
        routes: Some(http::routes),
        jobs: vec![(telling::JOB, |state, payload| telling::run(state, payload).boxed_local())],
        schedules: vec![
            Schedule {
                name: "needs.escalate",
                every: Duration::from_mins(5),
                run: |state| answers::escalate(state).boxed_local(),
            },
            Schedule {
                name: "needs.index",
                every: Duration::from_mins(1),
                run: |state| similar::catch_up(state).boxed_local(),
            },
        ],
        moderated: vec![(moderated::KIND, &moderated::Needs)],
        explained: vec![(adoption::KIND, &adoption::Needs)],
        verify: Some(|state| state.db.audit(service::RULES).boxed_local()),
        ..Capability::default()
    }
}
