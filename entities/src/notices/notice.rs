//! `notices`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::NoticeId;
use crate::ids::PlaceId;

/// A public act on a place's board; rows are only ever added and each carries the hash of the one before.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoticeId,
    pub community_id: PlaceId,
    pub seq: i64,
    pub kind: String,
    pub title: String,
    pub body: String,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Uuid>,
    pub published_at: DateTimeUtc,
    pub prev_hash: String,
    pub hash: String,
    pub objections_until: Option<DateTimeUtc>,
    pub corrects_id: Option<NoticeId>,
    pub commitment: Option<String>,
    pub version: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
