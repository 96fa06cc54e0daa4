//! `ledger_accounts`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::AccountKind;
use super::LedgerUnit;
use crate::ids::AccountId;
use crate::ids::PlaceId;

/// A balance of one unit in one community.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountId,
    pub unit: LedgerUnit,
    pub kind: AccountKind,
    pub community_id: PlaceId,
    pub owner_id: Uuid,
    pub kept: bool,
    pub floor: Option<i64>,
    pub posted: i64,
    pub reserved: i64,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
