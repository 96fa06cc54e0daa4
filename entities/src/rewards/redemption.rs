//! `redemptions`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::RedemptionState;
use crate::ids::PlaceId;
use crate::ids::RedemptionId;
use crate::ids::RewardId;
use crate::ids::TransactionId;
use crate::ids::UserId;

/// Points and one piece of stock held for a person until the code is settled, cancelled or expired.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "redemptions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RedemptionId,
    pub reward_id: RewardId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub user_id: UserId,
    pub cost: i64,
    pub state: RedemptionState,
    pub handle: String,
    pub transfer_id: TransactionId,
    pub period: Option<String>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub settled_by: Option<UserId>,
    pub shown_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
