//! `fund_months`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::FundId;
use crate::ids::FundMonthId;
use crate::ids::NoticeId;

/// A month's books as they were made public.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fund_months")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FundMonthId,
    pub fund_id: FundId,
    pub month: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub books: Json,
    pub notice_id: NoticeId,
    pub made_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
