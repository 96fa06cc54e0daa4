//! `incubation_requests`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::IncubationKind;
use super::IncubationState;
use crate::ids::IncubationId;
use crate::ids::OrganisationId;
use crate::ids::PlatformId;
use crate::ids::RoomId;
use crate::ids::UserId;

/// A wish for registration help, tutoring or a room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incubation_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: IncubationId,
    pub platform_id: PlatformId,
    pub organisation_id: OrganisationId,
    pub kind: IncubationKind,
    pub state: IncubationState,
    pub wish: String,
    pub room_id: Option<RoomId>,
    pub starts_at: Option<DateTimeUtc>,
    pub ends_at: Option<DateTimeUtc>,
    pub requested_by: UserId,
    pub requested_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub answer: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
