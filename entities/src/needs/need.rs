//! `needs`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::{ConsentHow, NeedCategory, NeedChannel, NeedState, Urgency};
use crate::ids::NeedId;
use crate::ids::PlaceId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// What somebody says the neighbourhood needs.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "needs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NeedId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub author_id: Option<UserId>,
    pub category: NeedCategory,
    pub title: String,
    pub body: String,
    pub anonymous: bool,
    pub state: NeedState,
    pub hidden: bool,
    pub support_count: i64,
    pub created_at: DateTimeUtc,
    pub published_at: Option<DateTimeUtc>,
    pub project_id: Option<ProjectId>,
    pub channel: NeedChannel,
    pub recorder_id: Option<UserId>,
    pub subject_cipher: Option<String>,
    pub consent_how: Option<ConsentHow>,
    pub consent_at: Option<DateTimeUtc>,
    pub dispute: Option<String>,
    pub disputed_at: Option<DateTimeUtc>,
    pub service: Option<String>,
    pub urgency: Urgency,
    #[sea_orm(column_type = "JsonBinary")]
    pub beneficiary_groups: Json,
    pub beneficiary_count: Option<i64>,
    pub due_at: Option<DateTimeUtc>,
    pub answered_at: Option<DateTimeUtc>,
    pub escalated_at: Option<DateTimeUtc>,
    pub merged_into: Option<NeedId>,
    pub indexed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
