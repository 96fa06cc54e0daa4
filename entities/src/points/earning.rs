//! `points_earnings`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::Cut;
use super::RuleKey;
use crate::ids::EarningId;
use crate::ids::PlaceId;
use crate::ids::TransactionId;
use crate::ids::UserId;

/// What a rule gave somebody for something.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "points_earnings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EarningId,
    pub community_id: PlaceId,
    pub user_id: UserId,
    pub rule: RuleKey,
    pub version: i32,
    pub source_kind: String,
    pub source_id: Uuid,
    pub day: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub calculation: Json,
    pub daily_cap: Option<i64>,
    pub asked: i64,
    pub entry_id: Option<TransactionId>,
    pub granted: i64,
    pub cut_by: Option<Cut>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
