//! `milestone_submissions`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::Decision;
use crate::ids::MilestoneId;
use crate::ids::ProjectId;
use crate::ids::SubmissionId;
use crate::ids::UserId;

/// Evidence for a milestone, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "milestone_submissions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SubmissionId,
    pub milestone_id: MilestoneId,
    pub project_id: ProjectId,
    pub round: i64,
    pub body: String,
    pub submitted_by: UserId,
    pub submitted_at: DateTimeUtc,
    pub statement: Option<String>,
    pub supports: Option<bool>,
    pub stated_by: Option<UserId>,
    pub stated_at: Option<DateTimeUtc>,
    pub decision: Option<Decision>,
    pub reason: Option<String>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
