//! Tables of `ledger`.

pub mod account;
pub mod lot;
pub mod lot_move;
pub mod transaction;
pub mod transfer;

use crate::text_enum;

text_enum! {
    /// What an account counts.
    pub enum LedgerUnit {
        Points,
        Fen,
    }
}

text_enum! {
    /// What an account is for. Points: a person's wallet, what a person owes, where points come from, what a community may give,
    /// where they go when spent or expired. Fen: a fund, and the world outside of the books.
    pub enum AccountKind {
        Wallet,
        Debt,
        Issuance,
        Budget,
        Spent,
        Expired,
        Fund,
        Outside,
    }
}

text_enum! {
    /// Why amounts moved.
    pub enum TransactionKind {
        Award,
        Redemption,
        Expiry,
        Reversal,
        Recovery,
        Budget,
        Receipt,
        Payment,
    }
}

text_enum! {
    /// Moved at once, held, or how a hold ended.
    pub enum TransactionPhase {
        Posted,
        Pending,
        Post,
        Void,
        Expire,
    }
}
