//! `tender_amendments`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::TenderAmendmentId;
use crate::ids::TenderId;
use crate::ids::UserId;

/// What was added to a tender before its closing; rows are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tender_amendments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenderAmendmentId,
    pub tender_id: TenderId,
    pub seq: i64,
    pub body: String,
    pub closes_at: DateTimeUtc,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
