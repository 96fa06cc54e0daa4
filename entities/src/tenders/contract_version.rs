//! `contract_versions`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ContractSide;
use super::VersionState;
use crate::ids::ContractId;
use crate::ids::ContractVersionId;
use crate::ids::UserId;

/// What a contract has said, or is proposed to say.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contract_versions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContractVersionId,
    pub contract_id: ContractId,
    pub version: Option<i64>,
    pub side: ContractSide,
    pub price_fen: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub milestones: Json,
    pub reason: String,
    pub state: VersionState,
    pub proposed_by: UserId,
    pub proposed_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
