//! `fund_receipts`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ReceiptKind;
use crate::ids::FundId;
use crate::ids::FundReceiptId;
use crate::ids::TariffId;
use crate::ids::UserId;
use crate::ids::VehicleId;

/// Money in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fund_receipts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FundReceiptId,
    pub fund_id: FundId,
    pub kind: ReceiptKind,
    pub tariff_id: Option<TariffId>,
    pub vehicle_id: Option<VehicleId>,
    pub period: Option<String>,
    pub payer_id: Option<UserId>,
    pub fen: i64,
    pub recorded_by: UserId,
    pub recorded_at: DateTimeUtc,
    pub reversed_by: Option<UserId>,
    pub reversed_at: Option<DateTimeUtc>,
    pub reversal_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
