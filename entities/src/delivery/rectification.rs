//! `rectifications`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::Verdict;
use crate::ids::FindingId;
use crate::ids::RectificationId;
use crate::ids::UserId;

/// What was done about a finding, and the verdict.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rectifications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RectificationId,
    pub finding_id: FindingId,
    pub round: i64,
    pub done: String,
    pub done_by: UserId,
    pub done_at: DateTimeUtc,
    pub verdict: Option<Verdict>,
    pub remark: Option<String>,
    pub checked_by: Option<UserId>,
    pub checked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
