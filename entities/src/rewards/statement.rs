//! `merchant_statements`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::MerchantId;
use crate::ids::StatementId;

/// What a merchant handed out in one month; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merchant_statements")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StatementId,
    pub merchant_id: MerchantId,
    pub month: String,
    pub pieces: i64,
    pub points: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub lines: Json,
    pub csv: String,
    pub hash: String,
    pub made_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
