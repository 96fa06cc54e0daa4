//! `milestones`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::MilestoneState;
use crate::ids::ContractId;
use crate::ids::MilestoneId;
use crate::ids::UserId;

/// A part of a contract that is paid when it is accepted.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "milestones")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MilestoneId,
    pub contract_id: ContractId,
    pub seq: i64,
    pub title: String,
    pub due_at: DateTimeUtc,
    pub amount_fen: i64,
    pub state: MilestoneState,
    pub accepted_by: Option<UserId>,
    pub accepted_at: Option<DateTimeUtc>,
    pub paid_by: Option<UserId>,
    pub paid_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
