//! What a certificate says, and what makes a volunteer's profile right.

mod content;
mod profile;

pub use content::{Content, Entry, check_code, duration_text, normal_code, serial};
pub use profile::{DocumentType, Profile, Sex, masked_document};
