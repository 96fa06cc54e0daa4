//! People: signing in with WeChat, sessions, where somebody lives, and what roles they hold.
//!
//! - A sign-in starts a *family* of refresh tokens in the cache; each refresh spends one and makes the next
//!   ([`session`]). A token that comes twice ends the family.
//! - A *residency* is a claim to live behind a door. A building leader or staff confirms it; until then a person can read and
//!   submit needs, and cannot vote, take a shift or earn points ([`Actor::require_resident`]).
//! - A *grant* is a role at a place; [`domain`] holds what each role may do ([`Permission`]).

mod actor;
pub mod domain;
mod holders;
mod http;
mod service;
mod session;
mod settings;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use actor::{Actor, Residence, holds, residence};
pub use domain::Permission;
pub use entities::identity::{ResidencyState, Role};
pub use holders::{Holder, holders, person_may};
pub use service::{Personal, masked_name, masked_phone, personal_of, phones};

/// Copies of a path must be the path of their place, or a grant would cover what it should not.
const RULES: &[(&str, &str)] = &[
    (
        "grant {} has not the path of its place",
        "SELECT g.id FROM grants g JOIN places p ON p.id = g.place_id WHERE g.place_path <> p.path",
    ),
    (
        "residency {} has not the path or community of its building",
        "SELECT r.id FROM residencies r JOIN places p ON p.id = r.building_id \
         WHERE r.place_path <> p.path OR r.community_id <> p.community_id",
    ),
    (
        "residency {} names a door of another building",
        "SELECT r.id FROM residencies r JOIN households h ON h.id = r.household_id WHERE h.building_id <> r.building_id",
    ),
];

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "identity",
        routes: Some(|config| {
            http::routes(config);
            settings::http::routes(config);
        }),
        verify: Some(|state| state.db.audit(RULES).boxed_local()),
        ..Capability::default()
    }
}
