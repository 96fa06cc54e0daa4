//! People: signing in with WeChat, sessions, where somebody lives, and what roles they hold.
//!
//! - A sign-in starts a *family* of refresh tokens in the cache; each refresh spends one and makes the next
//!   ([`session`]). A token that comes twice ends the family.
//! - A *residency* is a claim to live behind a door. A building leader or staff confirms it; until then a person can read and
//!   submit needs, and cannot vote, take a shift or earn points ([`Actor::require_resident`]).
//! - A *grant* is a role at a place; [`domain`] holds what each role may do ([`Permission`]).

mod actor;
pub mod domain;
mod http;
mod service;
mod session;

use crate::platform::capability::Capability;

pub use actor::{Actor, Residence, residence};
pub use domain::Permission;
pub use entities::identity::{ResidencyState, Role};
pub use service::masked_name;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "identity", routes: Some(http::routes), ..Capability::default() }
}
