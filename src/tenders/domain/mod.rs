//! The rules of tenders, pure: what a bid must say, how bids are ranked, what a contract may become.

mod bid;
mod ranking;
mod terms;

pub use bid::{Bid, Indicator, Limits, Sealed, commitment};
pub use ranking::{Criterion, Entry, Part, Ranked, Ranking, rank};
pub use terms::{Held, Term, check_terms};

use crate::platform::money;

/// `1234.50元` of fen.
pub fn yuan(fen: i64) -> String {
    money::yuan(fen) + "元"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_in_yuan() {
        assert_eq!([yuan(100), yuan(5), yuan(123_450)], ["1元", "0.05元", "1234.50元"]);
    }
}
