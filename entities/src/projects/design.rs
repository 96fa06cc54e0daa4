//! `project_designs`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ProgrammeId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// A design as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_designs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub programme_id: ProgrammeId,
    #[sea_orm(column_type = "JsonBinary")]
    pub document: Json,
    pub budget_fen: i64,
    pub indicators: i64,
    pub people: i64,
    pub submitted_by: UserId,
    pub submitted_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
