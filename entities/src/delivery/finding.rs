//! `findings`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::FindingState;
use super::Severity;
use crate::ids::FindingId;
use crate::ids::ProjectId;
use crate::ids::UserId;
use crate::ids::VisitId;

/// What a visit found, until it is closed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "findings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FindingId,
    pub visit_id: VisitId,
    pub project_id: ProjectId,
    pub severity: Severity,
    pub body: String,
    pub due_at: DateTimeUtc,
    pub state: FindingState,
    pub found_by: UserId,
    pub created_at: DateTimeUtc,
    pub reminded_at: Option<DateTimeUtc>,
    pub escalated_at: Option<DateTimeUtc>,
    pub closed_by: Option<UserId>,
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
