//! `service_corrections`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::CorrectionId;
use crate::ids::PlaceId;
use crate::ids::SignupId;
use crate::ids::UserId;

/// What stood before, what stands now, why, by whom; only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_corrections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CorrectionId,
    pub signup_id: SignupId,
    pub user_id: UserId,
    pub community_id: PlaceId,
    pub seq: i32,
    pub minutes_before: i64,
    pub minutes: i64,
    pub delta: i64,
    pub points: i64,
    pub reason: String,
    pub recorded_by: UserId,
    pub corrected_by: UserId,
    pub corrected_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
