//! `needs`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::NeedCategory;
use super::NeedState;
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
    pub author_id: UserId,
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
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
