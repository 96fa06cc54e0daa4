//! Tables of `funds`.

pub mod entry;
pub mod expense;
pub mod fund;
pub mod month;
pub mod receipt;
pub mod tariff;
pub mod vehicle;

use crate::text_enum;

text_enum! {
    /// What a tariff is for.
    pub enum TariffKind {
        Fee,
        Service,
    }
}

text_enum! {
    /// What money in is for.
    pub enum ReceiptKind {
        Fee,
        Service,
        Donation,
    }
}

text_enum! {
    /// What money out is for.
    pub enum ExpenseKind {
        Subsidy,
        Expense,
    }
}

text_enum! {
    /// Where a proposal to pay stands.
    pub enum ExpenseState {
        Proposed,
        Confirmed,
        Refused,
        Withdrawn,
        Reversed,
    }
}

text_enum! {
    /// What a line of the books is of.
    pub enum EntryKind {
        Fee,
        Service,
        Donation,
        Subsidy,
        Expense,
    }
}
