//! `tender_panel`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::TenderId;
use crate::ids::UserId;

/// Somebody who scores the bids of a tender, unless in conflict.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tender_panel")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tender_id: TenderId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub added_by: UserId,
    pub added_at: DateTimeUtc,
    pub conflict: Option<String>,
    pub conflict_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
