//! Tables of `places`.

pub mod household;
pub mod place;
pub mod point;

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
