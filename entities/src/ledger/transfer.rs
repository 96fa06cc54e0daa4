//! `ledger_transfers`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::TransferKind;
use super::TransferPhase;
use crate::ids::AccountId;
use crate::ids::TransferId;
use crate::ids::UserId;

/// An amount moved from one account to another; rows are only ever added, so that every transaction sums to zero.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transfers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TransferId,
    pub kind: TransferKind,
    pub phase: TransferPhase,
    pub pending_id: Option<TransferId>,
    pub debit_id: AccountId,
    pub credit_id: AccountId,
    pub amount: i64,
    pub dedupe_key: Option<String>,
    pub reason: String,
    pub actor_id: Option<UserId>,
    pub source_kind: String,
    pub source_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
