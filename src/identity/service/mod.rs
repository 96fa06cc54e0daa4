//! The commands. Each begins with who may give it.

mod grants;
mod personal;
mod residencies;
mod sign_in;

pub(super) use grants::{fresh_grants, give, take_back};
pub(super) use personal::personal;
pub use personal::{Personal, masked_name, masked_phone, personal_of, phones};
pub(super) use residencies::{Application, apply, decide, latest_residency, reveal};
pub(super) use sign_in::{SignedIn, phone_number, refresh, sign_in};
