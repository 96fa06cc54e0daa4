//! `ledger_transfers`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::LedgerUnit;
use crate::ids::AccountId;
use crate::ids::PlaceId;
use crate::ids::TransactionId;
use crate::ids::TransferId;

/// A pair of entries: one account debited, another credited by the same amount; rows are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transfers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TransferId,
    pub transaction_id: TransactionId,
    pub unit: LedgerUnit,
    pub community_id: PlaceId,
    pub debit_id: AccountId,
    pub credit_id: AccountId,
    pub amount: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
