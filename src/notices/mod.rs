//! The notice board 公示栏: public acts of a place, chained by hash.
//!
//! - Whoever acts in public calls [`publish`] in the act's own transaction, so that there is no act without its notice and no
//!   notice without the act. Each notice carries the hash of the one before it on its board ([`domain::Link`]): a silent
//!   edit shows. Rows are only ever added (triggers refuse everything else), and `linli verify` recomputes every chain.
//! - A board is a community's, or a street's or district's for what is theirs.
//! - A notice may have a *window*: until its end people may object. What it says takes effect only when [`standing`] says
//!   [`Standing::Clear`], asked in the transaction in which it takes effect.
//! - What was wrong is corrected by a notice that names it ([`correct`]); neither changes.
//! - When a day is over, where each board stands is signed with a key whose public half everybody can have: whoever kept a day's
//!   signature knows when a chain was made anew, even by an operator.
//! - What is chained can never be taken back, so that it must hold no personal data: a private document is stood for by a
//!   salted commitment ([`domain::commitment`]).
//!
//! Lock order: what the act itself needs, then the window of a notice ([`standing`]), then an objection, and last the board's
//! `notice_heads` row, which [`publish`] locks until the transaction ends.

pub mod domain;
mod http;
mod moderated;
mod service;
mod sheet;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use domain::Standing;
pub use service::{Notice, correct, of_subject, publish, standing, standing_of};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "notices",
        routes: Some(http::routes),
        moderated: vec![(moderated::KIND, &moderated::Objections)],
        schedules: vec![Schedule {
            name: "notices.days",
            every: Duration::from_mins(10),
            run: |state| async move { service::sign_days(&state).await }.boxed_local(),
        }],
        verify: Some(|state| verify::run(state).boxed_local()),
        ..Capability::default()
    }
}
