//! `tenders`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::TenderState;
use crate::ids::ProgrammeId;
use crate::ids::ProjectId;
use crate::ids::TenderId;
use crate::ids::UserId;

/// A project put out to tender.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenderId,
    pub project_id: ProjectId,
    pub programme_id: ProgrammeId,
    pub requirements: String,
    pub ceiling_fen: i64,
    pub price_weight: i64,
    pub min_scorers: i64,
    pub registered_only: bool,
    pub closes_at: DateTimeUtc,
    pub state: TenderState,
    pub amendments: i64,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
    pub opening_asked_by: Option<UserId>,
    pub opening_asked_at: Option<DateTimeUtc>,
    pub opened_by: Option<UserId>,
    pub opened_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
