//! `sessions`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ActivityId;
use crate::ids::PlaceId;
use crate::ids::SessionId;
use crate::ids::UserId;

/// A time of an activity that people enrol in: half-open, `[starts_at, ends_at)`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub activity_id: ActivityId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub title: String,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub capacity: i32,
    pub enrolled: i32,
    pub leader_id: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
