//! `offline_check_ins`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ShiftId;
use crate::ids::SignupId;
use crate::ids::UserId;

/// What a phone scanned without a network and uploaded later; the nonce lets it happen once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offline_check_ins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub nonce: String,
    pub shift_id: ShiftId,
    pub signup_id: SignupId,
    pub step: String,
    pub code_window: i64,
    pub device_time: DateTimeUtc,
    pub at: DateTimeUtc,
    pub received_at: DateTimeUtc,
    pub late: bool,
    pub applied: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
