//! Certificates of volunteer service, and how anybody checks one.
//!
//! Whoever organises records, and whoever records certifies: a volunteer may ask for a certificate, staff of the place issue it. It
//! has a number of its community and year without a gap, and a code by which anybody can check it without signing in. What it says
//! is kept, encrypted, as it was said: the same certificate is the same PDF ([`pdf`]), byte for byte.
//!
//! Locks are taken in this order: the person, the certificate, the community's counters (`certificate_numbers`), then what
//! [`notices`](crate::notices) locks. Nothing is locked while a PDF is made.

mod domain;
mod http;
mod pdf;
mod service;
mod verify;

use futures_util::FutureExt;

use crate::platform::capability::Capability;

pub use domain::{DocumentType, Profile, Sex};
pub use service::issuing::{Issuer, Scope, issue_for};
pub use service::profile::keep as keep_profile;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "certificates",
        routes: Some(http::routes),
        verify: Some(|state| verify::findings(state).boxed_local()),
        ..Capability::default()
    }
}
