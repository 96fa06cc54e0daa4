//! `project_service_corrections`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::Corrected;
use crate::ids::BeneficiaryId;
use crate::ids::ProjectId;
use crate::ids::ServiceCorrectionId;
use crate::ids::ServiceId;
use crate::ids::UserId;

/// Another figure beside a sealed one; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_service_corrections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceCorrectionId,
    pub service_id: ServiceId,
    pub project_id: ProjectId,
    pub what: Corrected,
    pub name: String,
    pub beneficiary_id: Option<BeneficiaryId>,
    pub seq: i64,
    pub was: i64,
    pub stands: i64,
    pub delta: i64,
    pub reason: String,
    pub recorded_by: UserId,
    pub corrected_by: UserId,
    pub corrected_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
