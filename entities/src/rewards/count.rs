//! `reward_counts`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::RewardId;
use crate::ids::UserId;

/// How often a person took a limited reward in one period.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reward_counts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub reward_id: RewardId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    pub used: i64,
    pub allowed: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
