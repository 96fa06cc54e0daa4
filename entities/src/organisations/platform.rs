//! `platforms`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::PlatformLevel;
use crate::ids::OperatorAdmissionId;
use crate::ids::OrganisationId;
use crate::ids::PlaceId;
use crate::ids::PlatformId;
use crate::ids::UserId;

/// A base, a centre, an office: where organisations are raised.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "platforms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PlatformId,
    pub level: PlatformLevel,
    pub place_id: PlaceId,
    pub place_path: String,
    pub name: String,
    pub runs: String,
    pub area_m2: Option<i64>,
    pub invested_fen: Option<i64>,
    pub opened_year: Option<i64>,
    pub operator_id: Option<OrganisationId>,
    pub operator_admission_id: Option<OperatorAdmissionId>,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
