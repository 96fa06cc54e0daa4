//! What pure rules say of an input that breaks them; `http::Problem` is made of it.

/// A mistake in the input: where, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// JSON pointer.
    pub pointer: String,
    /// Chinese / English.
    pub detail: &'static str,
}

impl Mistake {
    /// One in this place.
    pub fn at(pointer: impl Into<String>, detail: &'static str) -> Self {
        Self { pointer: pointer.into(), detail }
    }
}
