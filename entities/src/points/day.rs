//! `points_days`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::RuleKey;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// How much of a rule somebody was granted on one day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "points_days")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub community_id: PlaceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub rule: RuleKey,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: String,
    pub granted: i64,
    pub daily_cap: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
