//! Tables of `rewards`.

pub mod count;
pub mod merchant;
pub mod merchant_person;
pub mod redemption;
pub mod reward;
pub mod statement;
pub mod stock_change;
pub mod voucher;

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

text_enum! {
    /// What one gets: a piece over the counter, or a code that somebody else honours.
    pub enum RewardKind {
        Piece,
        Voucher,
    }
}

text_enum! {
    /// What a limit a person counts in, by China's calendar.
    pub enum LimitPeriod {
        Day,
        Week,
        Month,
        Year,
        Ever,
    }
}
