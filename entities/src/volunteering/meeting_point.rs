//! `meeting_points`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ActivityId;
use crate::ids::ShiftId;
use crate::ids::UserId;

/// Where people are expected: a hint beside the phone's position.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "meeting_points")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_id: Uuid,
    pub activity_id: Option<ActivityId>,
    pub shift_id: Option<ShiftId>,
    pub latitude: f64,
    pub longitude: f64,
    pub radius_m: i32,
    pub set_by: UserId,
    pub set_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
