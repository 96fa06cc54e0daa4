//! `community_summaries`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::NoticeId;
use crate::ids::PlaceId;
use crate::ids::SummaryId;

/// What a community published about one month; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "community_summaries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SummaryId,
    pub community_id: PlaceId,
    pub community_name: String,
    pub month: String,
    pub minimum_cell: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub figures: Json,
    pub csv: String,
    pub hash: String,
    pub notice_id: NoticeId,
    pub made_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
