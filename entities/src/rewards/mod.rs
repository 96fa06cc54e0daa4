//! Tables of `rewards`.

pub mod redemption;
pub mod reward;

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
