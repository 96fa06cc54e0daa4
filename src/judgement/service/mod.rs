pub(super) mod evaluating;
pub(super) mod exemplars;
pub(super) mod finishing;
pub(super) mod ratings;
