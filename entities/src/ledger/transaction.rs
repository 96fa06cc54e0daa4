//! `ledger_transactions`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::LedgerUnit;
use super::TransactionKind;
use super::TransactionPhase;
use crate::ids::PlaceId;
use crate::ids::TransactionId;
use crate::ids::UserId;

/// Why amounts moved, or are held; rows are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transactions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TransactionId,
    pub unit: LedgerUnit,
    pub community_id: PlaceId,
    pub kind: TransactionKind,
    pub phase: TransactionPhase,
    pub pending_id: Option<TransactionId>,
    pub reverses_id: Option<TransactionId>,
    pub transfers: i64,
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
