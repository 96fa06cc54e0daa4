//! `need_merges`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::NeedId;
use crate::ids::NeedMergeId;
use crate::ids::UserId;

/// One need gone into another.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "need_merges")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NeedMergeId,
    pub source_id: NeedId,
    pub target_id: NeedId,
    pub reason: String,
    pub merged_by: UserId,
    pub merged_at: DateTimeUtc,
    pub undone_by: Option<UserId>,
    pub undone_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
