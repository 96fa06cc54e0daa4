//! `fund_vehicles`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::FundId;
use crate::ids::HouseholdId;
use crate::ids::UserId;
use crate::ids::VehicleId;

/// A vehicle of a fund's register.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fund_vehicles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VehicleId,
    pub fund_id: FundId,
    pub plate_cipher: String,
    pub plate_hash: String,
    pub owner_id: Option<UserId>,
    pub household_id: Option<HouseholdId>,
    pub added_by: Option<UserId>,
    pub added_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
