//! `residencies`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ResidencyState;
use crate::ids::HouseholdId;
use crate::ids::PlaceId;
use crate::ids::ResidencyId;
use crate::ids::UserId;

/// Somebody's claim to live behind a door, and who decided on it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "residencies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ResidencyId,
    pub user_id: UserId,
    pub household_id: HouseholdId,
    pub building_id: PlaceId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub state: ResidencyState,
    pub real_name_cipher: String,
    pub phone_cipher: String,
    pub phone_hash: String,
    pub applied_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub reject_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
