//! What is offered: new rewards, their terms, their stock.

use chrono::{DateTime, Utc};
use entities::files::FileState;
use entities::ids::{FileId, MerchantId, PlaceId, RewardId, UserId};
use entities::rewards::{LimitPeriod, RewardKind, merchant, reward, stock_change};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::{find_reward, stored};
use crate::identity::{Actor, Permission};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::opening::Opening;
use crate::platform::state::AppState;
use crate::{audit, files, places};

/// No stock is larger.
pub const MOST: i64 = 1_000_000;

/// Where a new reward is offered, by whom, and what it is.
pub(in crate::rewards) struct Origin {
    pub place_id: PlaceId,
    pub merchant_id: Option<MerchantId>,
    pub kind: RewardKind,
    pub stock: i64,
}

/// What staff may change of a reward at any time.
pub(in crate::rewards) struct Terms<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub cost: i64,
    pub file_id: Option<FileId>,
    /// So many a person and period.
    pub limit: Option<(i64, LimitPeriod)>,
    pub opening: Option<&'a Opening>,
    pub available_from: Option<DateTime<Utc>>,
    pub available_until: Option<DateTime<Utc>>,
}

impl Terms<'_> {
    fn check(&self) -> Result<(), Problem> {
        match (self.available_from, self.available_until) {
            (Some(from), Some(until)) if from >= until => {
                Err(Problem::field("/available_until", "须晚于开始时间 / must be after available_from"))
            }
            _ => Ok(()),
        }
    }
}

/// Offers a reward.
pub(in crate::rewards) async fn create(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    origin: &Origin,
    terms: &Terms<'_>,
) -> Result<reward::Model, Problem> {
    let (place, community_id) = places::named_in_community(txn, origin.place_id, "/place_id").await?;
    actor.require(Permission::ManageRewards, &place.path)?;
    terms.check()?;
    if origin.kind == RewardKind::Voucher && origin.stock != 0 {
        return Err(Problem::field("/stock", "券码导入后才有库存 / the stock of vouchers is what is imported"));
    }
    if let Some(id) = origin.merchant_id {
        let known = merchant::Entity::find_by_id(id).filter(merchant::Column::CommunityId.eq(community_id));
        known
            .one(txn)
            .await?
            .ok_or_else(|| Problem::field("/merchant_id", "本社区没有这个商户 / no such merchant in this community"))?;
    }
    use_picture(txn, actor.user_id, terms.file_id, &place.path).await?;
    let now = state.clock.now();
    let row = reward::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(community_id),
        place_id: Set(place.id),
        place_path: Set(place.path),
        merchant_id: Set(origin.merchant_id),
        kind: Set(origin.kind),
        title: Set(terms.title.to_owned()),
        description: Set(terms.description.to_owned()),
        file_id: Set(terms.file_id),
        cost: Set(terms.cost),
        stock: Set(origin.stock),
        available: Set(origin.stock),
        limit_count: Set(terms.limit.map(|(count, _)| count)),
        limit_period: Set(terms.limit.map(|(_, period)| period)),
        opening: Set(stored(terms.opening)?),
        available_from: Set(terms.available_from),
        available_until: Set(terms.available_until),
        withdrawn_at: Set(None),
        created_by: Set(actor.user_id),
        created_at: Set(now),
    };
    let row = row.insert(txn).await?;
    if origin.stock > 0 {
        write_change(state, txn, actor.user_id, row.id, origin.stock, "初始库存").await?;
    }
    let detail = json!({ "cost": terms.cost, "stock": origin.stock });
    record(state, txn, actor, "reward.create", &row, detail).await?;
    Ok(row)
}

/// Changes a reward's terms, withdraws it or offers it again. Redemptions that are open keep the cost they were made at.
pub(in crate::rewards) async fn edit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: RewardId,
    terms: &Terms<'_>,
    withdrawn: bool,
) -> Result<reward::Model, Problem> {
    use sea_orm::sea_query::LockType;
    let before = reward::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    actor.require(Permission::ManageRewards, &before.place_path)?;
    terms.check()?;
    if before.file_id != terms.file_id {
        files::show(txn, before.file_id.as_slice(), false).await?;
        use_picture(txn, actor.user_id, terms.file_id, &before.place_path).await?;
    }
    let row = reward::ActiveModel {
        id: Unchanged(id),
        title: Set(terms.title.to_owned()),
        description: Set(terms.description.to_owned()),
        file_id: Set(terms.file_id),
        cost: Set(terms.cost),
        limit_count: Set(terms.limit.map(|(count, _)| count)),
        limit_period: Set(terms.limit.map(|(_, period)| period)),
        opening: Set(stored(terms.opening)?),
        available_from: Set(terms.available_from),
        available_until: Set(terms.available_until),
        withdrawn_at: Set(withdrawn.then(|| before.withdrawn_at.unwrap_or(state.clock.now()))),
        ..Default::default()
    };
    let row = row.update(txn).await?;
    let detail = json!({ "cost": [before.cost, row.cost], "withdrawn": withdrawn });
    record(state, txn, actor, "reward.edit", &row, detail).await?;
    Ok(row)
}

/// Raises or lowers a stock. It never falls below what is reserved and handed out: the statement's condition decides.
pub(in crate::rewards) async fn restock(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: RewardId,
    pieces: i64,
    reason: &str,
) -> Result<reward::Model, Problem> {
    let before = find_reward(txn, id).await?;
    actor.require(Permission::ManageRewards, &before.place_path)?;
    if pieces == 0 {
        return Err(Problem::field("/pieces", "不能为 0 / must not be 0"));
    }
    if before.kind == RewardKind::Voucher {
        return Err(Problem::field("/pieces", "券类礼品的库存由券码决定 / the stock of vouchers is what is imported"));
    }
    let row = add_stock(txn, id, pieces).await?;
    write_change(state, txn, actor.user_id, id, pieces, reason).await?;
    record(state, txn, actor, "reward.restock", &row, json!({ "pieces": pieces, "reason": reason })).await?;
    Ok(row)
}

pub(super) async fn add_stock(txn: &DatabaseTransaction, id: RewardId, pieces: i64) -> Result<reward::Model, Problem> {
    let changed = reward::Entity::update_many()
        .col_expr(reward::Column::Stock, Expr::col(reward::Column::Stock).add(pieces))
        .col_expr(reward::Column::Available, Expr::col(reward::Column::Available).add(pieces))
        .filter(reward::Column::Id.eq(id))
        .filter(Expr::col(reward::Column::Available).add(pieces).gte(0))
        .filter(Expr::col(reward::Column::Stock).add(pieces).lte(MOST))
        .exec_with_returning(txn)
        .await?;
    match changed.into_iter().next() {
        Some(row) => Ok(row),
        None if pieces > 0 => Err(Problem::field("/pieces", format!("库存最多 {MOST} / at most {MOST} in stock"))),
        None => Err(Code::StockInUse.into()),
    }
}

pub(super) async fn write_change(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: UserId,
    reward_id: RewardId,
    pieces: i64,
    reason: &str,
) -> Result<(), Problem> {
    let row = stock_change::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        reward_id: Set(reward_id),
        pieces: Set(pieces),
        reason: Set(reason.to_owned()),
        actor_id: Set(actor),
        created_at: Set(state.clock.now()),
    };
    stock_change::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// Shows one's own picture, which content security has passed, with a reward.
async fn use_picture(
    txn: &DatabaseTransaction,
    owner: UserId,
    file: Option<FileId>,
    place_path: &str,
) -> Result<(), Problem> {
    const POINTER: &str = "/file_id";
    let Some(file) = file else { return Ok(()) };
    if files::states(txn, &[file]).await? != [FileState::Passed] {
        return Err(Problem::field(POINTER, "图片须为自己上传并已通过审核 / must be one's own and checked"));
    }
    files::attach(txn, owner, &[file], place_path, POINTER).await.map_err(|problem| match problem.code() {
        Code::InvalidInput => Problem::field(POINTER, "没有这张图片 / no such picture of yours"),
        _ => problem,
    })?;
    files::show(txn, &[file], true).await
}

pub(super) async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &reward::Model,
    detail: serde_json::Value,
) -> Result<(), Problem> {
    audit::record(state, txn, Some(actor.user_id), action, ("reward", row.id.0), Some(row.place_id), detail).await
}
