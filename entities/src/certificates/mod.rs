//! Tables of `certificates`.

pub mod certificate;
pub mod certificate_number;
pub mod volunteer_number;
pub mod volunteer_profile;

use crate::text_enum;

text_enum! {
    /// Where a certificate stands.
    pub enum CertificateState { Requested, Issued, Declined, Revoked }
}
