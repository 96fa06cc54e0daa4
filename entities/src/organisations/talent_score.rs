//! `talent_scores`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::TalentApplicationId;
use crate::ids::UserId;

/// What one person gave one application.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "talent_scores")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub application_id: TalentApplicationId,
    pub applicant_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub scorer_id: UserId,
    #[sea_orm(column_type = "JsonBinary")]
    pub points: Json,
    pub total: i64,
    pub scored_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
