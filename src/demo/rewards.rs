//! What the demo shows of rewards: 光华社区's parking volunteers take tissues from their own association and codes of a car
//! wash nearby.

use entities::ids::MerchantId;
use entities::rewards::{LimitPeriod, RewardKind, merchant, merchant_person, reward, stock_change, voucher};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde_json::{Value, json};

use super::seed::{place_id, put, user_id};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::rewards::voucher_hash;

const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";

/// Name, address, phone number (nobody's), hours of every day but Sunday.
const MERCHANTS: &[(&str, &str, &str, &str, &str)] = &[
    ("“红色引擎”车辆自治之家", "光华社区停车管理岗亭", "027-00000001", "08:00", "20:00"),
    ("光华洗车行", "光华社区南门东侧", "13800009001", "09:00", "18:00"),
];

struct Reward {
    title: &'static str,
    description: &'static str,
    kind: RewardKind,
    merchant: Option<usize>,
    cost: i64,
    stock: i64,
    limit: Option<(i64, LimitPeriod)>,
}

const REWARDS: &[Reward] = &[
    Reward {
        title: "纸巾",
        description: "抽纸一提。每人每月限两次，到岗亭出示核销码领取。",
        kind: RewardKind::Piece,
        merchant: Some(0),
        cost: 10,
        stock: 1000,
        limit: Some((2, LimitPeriod::Month)),
    },
    Reward {
        title: "洗车券",
        description: "普通洗车一次。兑换后查看券码，到店出示；查看后不能退。",
        kind: RewardKind::Voucher,
        merchant: Some(1),
        cost: 100,
        stock: 20,
        limit: Some((1, LimitPeriod::Month)),
    },
    Reward {
        title: "停车优惠券",
        description: "抵停车费五元。",
        kind: RewardKind::Piece,
        merchant: Some(0),
        cost: 50,
        stock: 500,
        limit: None,
    },
    Reward {
        title: "便民理发券",
        description: "社区便民服务日使用，到社区服务大厅领取。",
        kind: RewardKind::Piece,
        merchant: None,
        cost: 30,
        stock: 300,
        limit: None,
    },
];

/// Puts in what is not there yet; see [`super::seed`].
pub(super) async fn seed(state: &AppState, txn: &DatabaseTransaction) -> Result<(), Problem> {
    for (name, address, phone, from, to) in MERCHANTS {
        let row = merchant::ActiveModel {
            id: Set(merchant_id(name)),
            community_id: Set(place_id(GUANGHUA)),
            place_id: Set(place_id(GUANGHUA)),
            place_path: Set(GUANGHUA.to_owned()),
            name: Set((*name).to_owned()),
            address: Set((*address).to_owned()),
            opening: Set(Some(hours(from, to))),
            phone_cipher: Set(Some(sealed(state, "merchants.phone", phone)?)),
            created_by: Set(user_id("staff")),
            created_at: Set(state.clock.now()),
        };
        put(txn, row).await?;
        let row = merchant_person::ActiveModel {
            merchant_id: Set(merchant_id(name)),
            user_id: Set(user_id("merchant")),
            added_by: Set(user_id("staff")),
            added_at: Set(state.clock.now()),
        };
        put(txn, row).await?;
    }
    for item in REWARDS {
        offer(state, txn, item).await?;
    }
    Ok(())
}

fn merchant_id(name: &str) -> MerchantId {
    ids::named(&format!("merchant:{name}"))
}

fn hours(from: &str, to: &str) -> Value {
    let weekly: Vec<Value> = (1..=6).map(|day| json!({ "weekday": day, "from": from, "to": to })).collect();
    json!({ "weekly": weekly, "closed": [] })
}

fn sealed(state: &AppState, context: &str, text: &str) -> Result<String, Problem> {
    state.keys.encrypt(context, text).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

async fn offer(state: &AppState, txn: &DatabaseTransaction, item: &Reward) -> Result<(), Problem> {
    // An older demo has a reward of this title with pieces, which codes must not be added to.
    let voucher = item.kind == RewardKind::Voucher;
    let key = format!("reward:{}{}", item.title, if voucher { ":codes" } else { "" });
    let id = ids::named(&key);
    let now = state.clock.now();
    let merchant = item.merchant.and_then(|at| MERCHANTS.get(at));
    let row = reward::ActiveModel {
        id: Set(id),
        community_id: Set(place_id(GUANGHUA)),
        place_id: Set(place_id(GUANGHUA)),
        place_path: Set(GUANGHUA.to_owned()),
        merchant_id: Set(merchant.map(|(name, ..)| merchant_id(name))),
        kind: Set(item.kind),
        title: Set(item.title.to_owned()),
        description: Set(item.description.to_owned()),
        file_id: Set(None),
        cost: Set(item.cost),
        stock: Set(item.stock),
        available: Set(item.stock),
        limit_count: Set(item.limit.map(|(count, _)| count)),
        limit_period: Set(item.limit.map(|(_, period)| period)),
        opening: Set(None),
        available_from: Set(None),
        available_until: Set(None),
        withdrawn_at: Set(None),
        created_by: Set(user_id("staff")),
        created_at: Set(now),
    };
    put(txn, row).await?;
    // The first change of a stock has the reward's own id, as in the migration that wrote down older stocks.
    let row = stock_change::ActiveModel {
        id: Set(ids::named(&key)),
        reward_id: Set(id),
        pieces: Set(item.stock),
        reason: Set("初始库存".to_owned()),
        actor_id: Set(user_id("staff")),
        created_at: Set(now),
    };
    put(txn, row).await?;
    for number in 0..if voucher { item.stock } else { 0 } {
        let code = format!("GHXC-2026-{:04}", 1000 + number * 37);
        let row = voucher::ActiveModel {
            id: Set(ids::named(&format!("voucher:{key}:{number}"))),
            reward_id: Set(id),
            code_cipher: Set(sealed(state, "reward_vouchers.code", &code)?),
            code_hash: Set(voucher_hash(state, id, &code)),
            redemption_id: Set(None),
            created_by: Set(user_id("staff")),
            created_at: Set(now),
        };
        put(txn, row).await?;
    }
    Ok(())
}
