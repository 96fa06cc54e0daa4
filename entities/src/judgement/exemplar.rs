//! `exemplars`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ExemplarId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// A finished project for others to copy; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exemplars")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExemplarId,
    pub project_id: ProjectId,
    pub title: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub template: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub figures: Json,
    pub published_by: UserId,
    pub published_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
