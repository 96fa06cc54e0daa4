//! `signups`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::SignupState;
use crate::ids::PlaceId;
use crate::ids::ShiftId;
use crate::ids::SignupId;
use crate::ids::UserId;

/// One person's place in a shift, from waiting list to credited minutes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignupId,
    pub shift_id: ShiftId,
    pub user_id: UserId,
    pub community_id: PlaceId,
    pub state: SignupState,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub rests_until: DateTimeUtc,
    pub queued_at: DateTimeUtc,
    pub offer_expires_at: Option<DateTimeUtc>,
    pub checked_in_at: Option<DateTimeUtc>,
    pub checked_out_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary")]
    pub proof: Json,
    pub minutes: Option<i64>,
    pub points: Option<i64>,
    pub confirmed_by: Option<UserId>,
    pub confirmed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
