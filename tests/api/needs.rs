//! Needs.
