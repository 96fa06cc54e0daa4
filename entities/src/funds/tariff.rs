//! `fund_tariffs`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::TariffKind;
use crate::ids::FundId;
use crate::ids::TariffId;
use crate::ids::UserId;

/// What something costs.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fund_tariffs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TariffId,
    pub fund_id: FundId,
    pub kind: TariffKind,
    pub name: String,
    pub fen: i64,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
