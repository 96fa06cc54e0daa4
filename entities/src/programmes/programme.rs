//! `programmes`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::Allocation;
use super::ProgrammeState;
use crate::ids::PlaceId;
use crate::ids::ProgrammeId;
use crate::ids::UserId;

/// Money for a purpose, with its rules and calendar.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "programmes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProgrammeId,
    pub parent_id: Option<ProgrammeId>,
    pub place_id: PlaceId,
    pub place_path: String,
    pub title: String,
    pub description: String,
    pub budget_fen: i64,
    pub cap_fen: i64,
    pub count_target: i64,
    pub expert_weight: i64,
    pub allocation: Allocation,
    #[sea_orm(column_type = "JsonBinary")]
    pub rubric: Json,
    pub min_reviews: i64,
    pub objection_days: i64,
    pub proposals_from: DateTimeUtc,
    pub proposals_until: DateTimeUtc,
    pub reviews_until: DateTimeUtc,
    pub votes_until: DateTimeUtc,
    pub delivery_until: DateTimeUtc,
    pub state: ProgrammeState,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
