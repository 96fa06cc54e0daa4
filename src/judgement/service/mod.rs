pub(crate) mod evaluating;
pub(crate) mod exemplars;
pub(crate) mod finishing;
pub(crate) mod ratings;
