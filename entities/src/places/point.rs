//! `place_points`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::PlaceId;

/// Where a place is, in millionths of a degree of GCJ-02.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "place_points")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub place_id: PlaceId,
    pub lat_e6: i64,
    pub lng_e6: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
