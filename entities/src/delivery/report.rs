//! `project_reports`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ReportKind;
use crate::ids::ProjectId;
use crate::ids::ProjectReportId;
use crate::ids::UserId;

/// What the implementer reports; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_reports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProjectReportId,
    pub project_id: ProjectId,
    pub kind: ReportKind,
    pub period_from: String,
    pub period_until: String,
    pub body: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub figures: Json,
    pub author_id: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
