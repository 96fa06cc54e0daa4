//! `contracts`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ContractState;
use crate::ids::ContractId;
use crate::ids::OrganisationId;
use crate::ids::ProjectId;
use crate::ids::TenderAwardId;
use crate::ids::UserId;

/// What an organisation does for a project, and for how much.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contracts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContractId,
    pub project_id: ProjectId,
    pub award_id: TenderAwardId,
    pub organisation_id: OrganisationId,
    pub price_fen: i64,
    pub committed_fen: i64,
    pub state: ContractState,
    pub versions: i64,
    pub drawn_by: UserId,
    pub drawn_at: DateTimeUtc,
    pub staff_signed_by: Option<UserId>,
    pub staff_signed_at: Option<DateTimeUtc>,
    pub organisation_signed_by: Option<UserId>,
    pub organisation_signed_at: Option<DateTimeUtc>,
    pub signed_at: Option<DateTimeUtc>,
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
