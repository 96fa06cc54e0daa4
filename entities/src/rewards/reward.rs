//! `rewards`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::{LimitPeriod, RewardKind};
use crate::ids::FileId;
use crate::ids::MerchantId;
use crate::ids::PlaceId;
use crate::ids::RewardId;
use crate::ids::UserId;

/// A gift or service that points buy.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rewards")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RewardId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub merchant_id: Option<MerchantId>,
    pub kind: RewardKind,
    pub title: String,
    pub description: String,
    pub file_id: Option<FileId>,
    pub cost: i64,
    pub stock: i64,
    pub available: i64,
    pub limit_count: Option<i64>,
    pub limit_period: Option<LimitPeriod>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub opening: Option<Json>,
    pub available_from: Option<DateTimeUtc>,
    pub available_until: Option<DateTimeUtc>,
    pub withdrawn_at: Option<DateTimeUtc>,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
