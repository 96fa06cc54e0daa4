//! `notice_days`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::PlaceId;

/// Where a chain stood when a day ended, signed; rows are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice_days")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub place_id: PlaceId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: String,
    pub seq: i64,
    pub hash: String,
    pub public_key: String,
    pub signature: String,
    pub signed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
