//! `deliberations`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::DeliberationId;
use crate::ids::PlaceId;
use crate::ids::TopicId;
use crate::ids::UserId;

/// A meeting over a topic.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliberations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeliberationId,
    pub topic_id: TopicId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub venue: String,
    pub agenda: String,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub leader_id: UserId,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
    pub called_off_at: Option<DateTimeUtc>,
    pub call_off_reason: Option<String>,
    pub minutes: Option<String>,
    pub minutes_by: Option<UserId>,
    pub minutes_at: Option<DateTimeUtc>,
    pub confirmed_by: Option<UserId>,
    pub confirmed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
