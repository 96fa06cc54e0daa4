//! `points_scores`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::PlaceId;
use crate::ids::UserId;

/// Points that a person earned in one period of one community; a copy of the ledger for the leaderboard.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "points_scores")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub community_id: PlaceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub points: i64,
    /// In whole seconds.
    pub reached_at: DateTimeUtc,
    /// Counts the changes of what a board shows of this row.
    pub version: i64,
    /// The version that the board's sorted set was told.
    pub boarded: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
