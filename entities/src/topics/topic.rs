//! `topics`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::{Resolution, TopicState};
use crate::ids::PlaceId;
use crate::ids::PollId;
use crate::ids::TopicId;
use crate::ids::UserId;

/// Needs that are talked over together.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "topics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TopicId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub title: String,
    pub summary: String,
    pub state: TopicState,
    pub resolution: Option<Resolution>,
    pub reason: Option<String>,
    pub poll_id: Option<PollId>,
    pub adopted: Option<bool>,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
