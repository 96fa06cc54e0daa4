//! `tender_scores`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::BidId;
use crate::ids::TenderId;
use crate::ids::UserId;

/// What somebody gave a bid by a criterion; rows are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tender_scores")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub bid_id: BidId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub criterion: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub scorer_id: UserId,
    pub tender_id: TenderId,
    pub points: i64,
    pub max_points: i64,
    pub scored_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
