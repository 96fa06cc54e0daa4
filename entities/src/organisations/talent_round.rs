//! `talent_rounds`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::NoticeId;
use crate::ids::PlaceId;
use crate::ids::TalentRoundId;
use crate::ids::UserId;

/// A round that selects social workers.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "talent_rounds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalentRoundId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub title: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub criteria: Json,
    pub seats: i64,
    pub opens_at: DateTimeUtc,
    pub closes_at: DateTimeUtc,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub published_at: Option<DateTimeUtc>,
    pub notice_id: Option<NoticeId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
