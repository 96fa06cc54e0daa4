//! Which bid is best: points for quality by the panel and for the price by a formula, in whole thousandths of a point.
//!
//! - Quality, for each criterion: `weight × 1000 × sum ÷ (scorers × maximum)`, rounded down; `sum` is what all scorers gave.
//! - Price: `price weight × 1000 × lowest price ÷ price`, rounded down.
//! - Order: more points; then the lower price; then the earlier bid; then the smaller commitment, which nobody could choose.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use entities::ids::BidId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What bids are judged by besides their price.
#[derive(Clone, Copy, Debug)]
pub struct Criterion {
    /// Its number.
    pub seq: i64,
    /// Points out of 100.
    pub weight: i64,
    /// What a scorer gives at most.
    pub max_points: i64,
}

/// A valid bid.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which.
    pub bid: BidId,
    /// For how much.
    pub price_fen: i64,
    /// When its last version came in.
    pub received_at: DateTime<Utc>,
    /// Of that version.
    pub commitment: String,
    /// For each criterion what all scorers gave together.
    pub sums: Vec<i64>,
}

/// How the bids stand, with everything that is needed to redo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ranking {
    /// How it was computed.
    pub rule: String,
    /// Whose scores count: who scored every bid by every criterion, without a conflict.
    pub scorers: i64,
    /// Points out of 100 for the price.
    pub price_weight: i64,
    /// What the price's points are measured by.
    pub lowest_price_fen: i64,
    /// The best first.
    pub bids: Vec<Ranked>,
}

/// A bid's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ranked {
    /// 1 for the best.
    pub rank: i64,
    /// Which.
    pub bid_id: BidId,
    /// For how much.
    pub price_fen: i64,
    /// All together, in thousandths of a point.
    pub total: i64,
    /// For the price, in thousandths of a point.
    pub price_points: i64,
    /// For each criterion.
    pub parts: Vec<Part>,
}

/// What a criterion gave a bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// Its number.
    pub criterion: i64,
    /// What all scorers gave together.
    pub sum: i64,
    /// In thousandths of a point.
    pub points: i64,
}

const RULE: &str = "千分制取整：每项 = 权重×1000×总分÷(人数×满分)；价格 = 价格权重×1000×最低报价÷报价；均向下取整。\
    依次比较：总分高、报价低、递交早、承诺值小。";

/// `weight × 1000 × part ÷ whole`, rounded down; nothing of nothing.
fn share(weight: i64, part: i64, whole: i64) -> i64 {
    let product = i128::from(weight) * 1000 * i128::from(part);
    product.checked_div(i128::from(whole)).and_then(|share| i64::try_from(share).ok()).unwrap_or_default()
}

/// Ranks bids by what `scorers` people gave and by their prices.
pub fn rank(price_weight: i64, criteria: &[Criterion], scorers: i64, entries: Vec<Entry>) -> Ranking {
    let lowest = entries.iter().map(|entry| entry.price_fen).min().unwrap_or_default();
    let mut ranked: Vec<(Entry, Ranked)> =
        entries.into_iter().map(|entry| judge(price_weight, criteria, scorers, lowest, entry)).collect();
    ranked.sort_by(|(a, one), (b, two)| {
        let key = |entry: &Entry, ranked: &Ranked| (Reverse(ranked.total), entry.price_fen, entry.received_at);
        key(a, one).cmp(&key(b, two)).then_with(|| a.commitment.cmp(&b.commitment))
    });
    let bids = ranked.into_iter().zip(1..).map(|((_, ranked), rank)| Ranked { rank, ..ranked }).collect();
    Ranking { rule: RULE.to_owned(), scorers, price_weight, lowest_price_fen: lowest, bids }
}

fn judge(price_weight: i64, criteria: &[Criterion], scorers: i64, lowest: i64, entry: Entry) -> (Entry, Ranked) {
    let part = |(criterion, sum): (&Criterion, &i64)| Part {
        criterion: criterion.seq,
        sum: *sum,
        points: share(criterion.weight, *sum, scorers * criterion.max_points),
    };
    let parts: Vec<Part> = criteria.iter().zip(&entry.sums).map(part).collect();
    let price_points = share(price_weight, lowest, entry.price_fen);
    let total = price_points + parts.iter().map(|part| part.points).sum::<i64>();
    let ranked = Ranked { rank: 0, bid_id: entry.bid, price_fen: entry.price_fen, total, price_points, parts };
    (entry, ranked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const CRITERIA: [Criterion; 2] =
        [Criterion { seq: 1, weight: 50, max_points: 10 }, Criterion { seq: 2, weight: 20, max_points: 100 }];

    fn entry(id: u128, price_fen: i64, minute: i64, sums: [i64; 2]) -> Entry {
        Entry {
            bid: Uuid::from_u128(id).into(),
            price_fen,
            received_at: DateTime::from_timestamp(minute * 60, 0).unwrap(),
            commitment: format!("{id:x}"),
            sums: sums.to_vec(),
        }
    }

    fn order(entries: Vec<Entry>) -> Vec<u128> {
        rank(30, &CRITERIA, 2, entries).bids.iter().map(|ranked| ranked.bid_id.0.as_u128()).collect()
    }

    #[test]
    fn points_follow_the_stated_formula() {
        let ranking = rank(30, &CRITERIA, 2, vec![entry(1, 100_000, 0, [15, 170]), entry(2, 90_000, 0, [14, 180])]);
        let [best, other] = &ranking.bids[..] else { panic!("two") };
        // 50×1000×14÷20 + 20×1000×180÷200 + 30×1000, and 50×1000×15÷20 + 20×1000×170÷200 + 30×1000×0.9.
        assert_eq!((best.bid_id.0.as_u128(), best.total), (2, 35_000 + 18_000 + 30_000));
        assert_eq!((other.rank, other.total), (2, 37_500 + 17_000 + 27_000));
        let thirds = rank(30, &CRITERIA, 2, vec![entry(1, 30, 0, [0, 0]), entry(2, 20, 0, [0, 0])]);
        assert_eq!(thirds.bids[1].price_points, 20_000);
        assert_eq!(rank(10, &[], 1, vec![entry(1, 3, 0, [0, 0]), entry(2, 1, 0, [0, 0])]).bids[1].price_points, 3333);
    }

    #[test]
    fn ties_go_to_the_lower_price_then_the_earlier_then_the_smaller_commitment() {
        // 10% of the price's 30 points are three points: 15 of 200 more by the second criterion make 1.5, by the first 0.5 of 20 none.
        let same = |id, minute| entry(id, 1000, minute, [10, 100]);
        assert_eq!(order(vec![same(2, 5), same(1, 9)]), [2, 1], "earlier");
        assert_eq!(order(vec![same(2, 5), same(1, 5)]), [1, 2], "smaller commitment");
        let dear = entry(1, 2000, 0, [16, 100]);
        let cheap = entry(2, 1000, 9, [10, 100]);
        let ranking = rank(30, &CRITERIA, 2, vec![dear.clone(), cheap.clone()]);
        assert_eq!(ranking.bids[0].total, ranking.bids[1].total);
        assert_eq!(order(vec![dear, cheap]), [2, 1], "lower price");
    }

    proptest! {
        #[test]
        fn the_order_of_the_rows_does_not_matter(
            bids in proptest::collection::vec((1_i64..10_000_000_000, 0_i64..5, 0_i64..=20, 0_i64..=200), 1..8), seed in any::<usize>()
        ) {
            let entries: Vec<_> = bids.iter().zip(1..).map(|((price, minute, a, b), id)| entry(id, *price, *minute, [*a, *b])).collect();
            let mut turned = entries.clone();
            turned.rotate_left(seed % entries.len());
            let ranking = rank(30, &CRITERIA, 2, entries);
            prop_assert_eq!(&ranking, &rank(30, &CRITERIA, 2, turned));
            for ranked in &ranking.bids {
                prop_assert!((0..=100_000).contains(&ranked.total));
                prop_assert!(ranked.price_fen != ranking.lowest_price_fen || ranked.price_points == 30_000);
            }
        }

        #[test]
        fn a_lower_price_never_costs_a_place(price in 2_i64..1_000_000, other in 1_i64..1_000_000, cut in 1_i64..1_000_000) {
            let place = |price| order(vec![entry(1, price, 0, [10, 100]), entry(2, other, 0, [12, 90])]).iter().position(|id| *id == 1);
            prop_assert!(place((price - cut).max(1)) <= place(price));
        }
    }
}
