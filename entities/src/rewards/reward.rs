//! `rewards`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

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
    pub title: String,
    pub cost: i64,
    pub stock: i64,
    pub available: i64,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
