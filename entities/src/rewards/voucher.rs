//! `reward_vouchers`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::RedemptionId;
use crate::ids::RewardId;
use crate::ids::UserId;
use crate::ids::VoucherId;

/// A code that somebody else honours; its owner is who redeemed it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reward_vouchers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VoucherId,
    pub reward_id: RewardId,
    pub code_cipher: String,
    pub code_hash: String,
    pub redemption_id: Option<RedemptionId>,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
