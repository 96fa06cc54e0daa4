//! `points_rules`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::RuleKey;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// One version of what earns points in a community.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "points_rules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub community_id: PlaceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: RuleKey,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    pub amount: i64,
    pub night_percent: i64,
    pub holiday_percent: i64,
    pub daily_cap: Option<i64>,
    pub from_at: DateTimeUtc,
    pub set_by: UserId,
    pub set_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
