//! Tables of `rewards`.

pub mod reward;
pub mod redemption;

use crate::text_enum;

text_enum! {
    /// Where a redemption stands.
    pub enum RedemptionState {
        Reserved,
        Settled,
        Cancelled,
        Expired,
    }
}
