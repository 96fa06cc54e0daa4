//! `project_reviews`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::Recommendation;
use crate::ids::ProgrammeId;
use crate::ids::ProjectId;
use crate::ids::ReviewId;
use crate::ids::UserId;

/// An expert's scores for one version of a design.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_reviews")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewId,
    pub project_id: ProjectId,
    pub version: i64,
    pub programme_id: ProgrammeId,
    pub reviewer_id: UserId,
    #[sea_orm(column_type = "JsonBinary")]
    pub scores: Json,
    pub points: i64,
    pub comment: String,
    pub recommendation: Recommendation,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
