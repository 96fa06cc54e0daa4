//! What the demo shows of rewards: 光华社区's parking volunteers redeem tissues and car washes.

use entities::rewards::reward;
use sea_orm::{ActiveValue::Set, DatabaseTransaction};

use super::seed::{place_id, put, user_id};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Title, points, pieces.
const REWARDS: &[(&str, i64, i64)] =
    &[("纸巾", 10, 1000), ("洗车券", 100, 200), ("停车优惠券", 50, 500), ("便民理发券", 30, 300)];

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
    for (title, cost, stock) in REWARDS {
        let row = reward::ActiveModel {
            id: Set(ids::named(&format!("reward:{title}"))),
            community_id: Set(place_id(GUANGHUA)),
            place_id: Set(place_id(GUANGHUA)),
            place_path: Set(GUANGHUA.to_owned()),
            title: Set((*title).to_owned()),
            cost: Set(*cost),
            stock: Set(*stock),
            available: Set(*stock),
            created_by: Set(user_id("staff")),
            created_at: Set(state.clock.now()),
        };
        put(txn, row).await?;
    }
    Ok(())
}
