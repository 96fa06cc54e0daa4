//! `need_files`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::FileId;
use crate::ids::NeedId;

/// A picture of a need, in order, or its one voice.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "need_files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub need_id: NeedId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub file_id: FileId,
    pub voice: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
