//! `operator_rounds`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::OperatorRoundId;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// A round by which operators come into the pool.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operator_rounds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OperatorRoundId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub title: String,
    pub criteria: String,
    pub opens_at: DateTimeUtc,
    pub closes_at: DateTimeUtc,
    pub valid_from: DateTimeUtc,
    pub valid_until: DateTimeUtc,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
