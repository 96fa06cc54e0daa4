//! `project_evaluations`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::EvaluationResult;
use crate::ids::FileId;
use crate::ids::OrganisationId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// A third party's evaluation; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_evaluations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub result: EvaluationResult,
    pub score: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub indicators: Json,
    pub summary: String,
    pub advice: Option<String>,
    pub rectify_by: Option<String>,
    pub report_file_id: FileId,
    pub report_sha256: String,
    pub organisation_id: OrganisationId,
    pub evaluator_id: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
