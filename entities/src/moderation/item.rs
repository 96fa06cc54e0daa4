//! `moderation_items`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ModerationAction;
use super::ModerationReason;
use super::ModerationState;
use super::SecurityState;
use crate::ids::ModerationItemId;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// One thing in the moderators' queue; at most one is open per target.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "moderation_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ModerationItemId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub target_kind: String,
    pub target_id: Uuid,
    pub author_id: UserId,
    pub reason: ModerationReason,
    pub security: Option<SecurityState>,
    pub excerpt: String,
    pub report_count: i64,
    pub state: ModerationState,
    pub action: Option<ModerationAction>,
    pub decision_reason: Option<String>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
