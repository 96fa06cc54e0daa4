//! What makes a design, how two versions differ, and who reads a review: all pure.

pub(super) mod design;
pub(super) mod diff;
pub(super) mod reading;
