//! Tables of `places`.

pub mod household;
pub mod place;

use crate::text_enum;

text_enum! {
    /// The levels of the tree.
    pub enum PlaceKind {
        District,
        Street,
        Community,
        Grid,
        Building,
    }
}
