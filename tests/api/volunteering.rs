//! Volunteering.
