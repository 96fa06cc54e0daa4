//! `operator_admissions`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::AdmissionState;
use crate::ids::OperatorAdmissionId;
use crate::ids::OperatorRoundId;
use crate::ids::OrganisationId;
use crate::ids::UserId;

/// An organisation in a round, and in the pool once it is admitted.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operator_admissions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OperatorAdmissionId,
    pub round_id: OperatorRoundId,
    pub organisation_id: OrganisationId,
    pub state: AdmissionState,
    pub applied_by: Option<UserId>,
    pub applied_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
