//! `programme_selections`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ProgrammeId;
use crate::ids::SelectionId;
use crate::ids::UserId;

/// What somebody proposed to select.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "programme_selections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SelectionId,
    pub programme_id: ProgrammeId,
    pub seq: i64,
    pub available_fen: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub ranking: Json,
    pub proposed_by: UserId,
    pub proposed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
