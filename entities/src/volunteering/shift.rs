//! `shifts`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ActivityId;
use crate::ids::PlaceId;
use crate::ids::ShiftId;
use crate::ids::ShiftTemplateId;
use crate::ids::TeamId;
use crate::ids::UserId;

/// A time with a number of seats: half-open, `[starts_at, ends_at)`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shifts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShiftId,
    pub activity_id: ActivityId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub capacity: i32,
    pub taken: i32,
    pub leader_id: UserId,
    pub created_at: DateTimeUtc,
    pub team_id: Option<TeamId>,
    pub skill: Option<String>,
    pub template_id: Option<ShiftTemplateId>,
    pub planned_at: Option<DateTimeUtc>,
    pub revision: i32,
    pub reminded_at: Option<DateTimeUtc>,
    pub called_off_by: Option<UserId>,
    pub called_off_at: Option<DateTimeUtc>,
    pub call_off_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
