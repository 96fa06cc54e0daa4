//! One queue for everything residents write, reports, and complaints.
//!
//! - A capability hands over what somebody wrote in its own transaction ([`submit`]). That opens an *item* and promises the
//!   check by WeChat's content security ([`security`]): the text first, then the pictures. What passes is published at once and
//!   stays in the queue for a second look; what does not, or cannot be checked, waits for a person and is never lost.
//! - A person decides ([`service::decide`]): approve or hide an open item, or restore what a closed one hid. Whoever is first
//!   has decided: the state is part of the statement.
//! - A report opens an item for what is public already, or upgrades the open one: at most one is open per target, by index.
//! - What can be moderated says so in its `capability()` through `platform::capability::Moderated`, so that this module knows
//!   no capability that stands after it.
//! - WeChat's pushes arrive here ([`push`]), because most of them are verdicts.
//!
//! Lock order: item, then target, then its pictures.

mod domain;
mod http;
mod push;
mod security;
mod service;

use std::time::Duration;

use entities::ids::{FileId, PlaceId, UserId};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::platform::capability::{Capability, Schedule};
use crate::platform::wechat::Scene;

pub use entities::moderation::ModerationAction;
pub(crate) use service::decide;
pub use service::{complain_of_need, submit};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "moderation",
        routes: Some(|config| {
            http::routes(config);
            push::routes(config);
        }),
        jobs: vec![
            (security::TEXT_JOB, |state, payload| security::check_text(state, payload).boxed_local()),
            (security::PICTURES_JOB, |state, payload| security::picture_judged(state, payload).boxed_local()),
        ],
        schedules: vec![Schedule {
            name: "moderation.sweep",
            every: Duration::from_mins(1),
            run: |state| security::sweep(state).boxed_local(),
        }],
        verify: Some(|state| service::verify(state).boxed_local()),
        ..Capability::default()
    }
}

/// Something that somebody wrote and nobody else may see yet.
#[derive(Debug)]
pub struct Submission<'a> {
    /// Whose queue it goes to.
    pub community_id: PlaceId,
    /// Where it is, for the moderators' grants.
    pub place_path: &'a str,
    /// What it is: the word under which its capability registers its `Moderated`.
    pub target_kind: &'static str,
    /// Which.
    pub target_id: Uuid,
    /// Who wrote it.
    pub author: UserId,
    /// Its title, if it has one.
    pub title: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its pictures.
    pub file_ids: &'a [FileId],
    /// Where the text appears.
    pub scene: Scene,
}
