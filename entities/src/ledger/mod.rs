//! Tables of `ledger`.

pub mod account;
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
    /// Whose an account is: a person's, or the community's source and sink.
    pub enum AccountKind {
        Wallet,
        Issuance,
        Spent,
    }
}

text_enum! {
    /// Why an amount moved.
    pub enum TransferKind {
        Award,
        Redemption,
        Reversal,
    }
}

text_enum! {
    /// Moved at once, held, or how a hold ended.
    pub enum TransferPhase {
        Posted,
        Pending,
        Post,
        Void,
    }
}
