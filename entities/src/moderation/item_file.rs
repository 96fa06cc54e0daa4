//! `moderation_item_files`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::FileId;
use crate::ids::ModerationItemId;

/// A picture whose verdict an item waits for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "moderation_item_files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: ModerationItemId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub file_id: FileId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
