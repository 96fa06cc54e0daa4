//! `award_budgets`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::UserId;

/// What a member of staff has awarded by hand on one day.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "award_budgets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub actor_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: String,
    pub spent: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
