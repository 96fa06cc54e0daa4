//! `reward_stock_changes`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::RewardId;
use crate::ids::StockChangeId;
use crate::ids::UserId;

/// Pieces that came to a stock or left it, and why; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reward_stock_changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockChangeId,
    pub reward_id: RewardId,
    pub pieces: i64,
    pub reason: String,
    pub actor_id: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
