//! Pictures and voices: checked by content, stripped, thumbnailed, and seen by others only after content security.
//!
//! - An upload is decoded within limits and written anew ([`picture`]), so that nothing of the original file is left: no
//!   EXIF, no position, no appended data. A job then has WeChat fetch and judge it ([`security`]); the verdict is pushed.
//! - A picture belongs to whoever uploaded it until a capability uses it ([`attach`]), once and for all. It is shown to others
//!   while that capability says so ([`show`]).
//! - A PDF is a *document*: known by its first bytes, kept as it came, served for downloading only, and never in place of a
//!   picture ([`attach`] refuses it, [`attach_document`] takes nothing else).
//! - A *voice* is what a phone recorded: known by its frames, which alone are kept ([`voice`]), judged by WeChat like a picture.
//!   One that is *confidential* is not: it lies encrypted, no link and no token shows it, and only the case that it was used
//!   for ([`attach_voice`]) reads it ([`confidential_voice`]).
//! - `<img>` sends no header: answers hand out signed links ([`link`]). A *public* link works while the picture is shown, so
//!   that what is hidden is gone at once; an *insider's* link (author, moderators, WeChat) works in every state.

mod domain;
mod http;
mod picture;
mod security;
mod service;
mod voice;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use domain::Audience;
pub use entities::files::FileState;
pub use security::verdict;
pub use service::{
    Links, Secrecy, attach, attach_document, attach_voice, confidential_voice, link, show, states, voices,
};

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "files",
        routes: Some(http::routes),
        jobs: vec![(security::JOB, |state, payload| security::check(state, payload).boxed_local())],
        verify: Some(|state| service::verify(state).boxed_local()),
        ..Capability::default()
    }
}
