//! `case_handlers`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::CaseHandlerId;
use crate::ids::CaseId;
use crate::ids::UserId;

/// Somebody who may read a case, and since when; rows end, they are not taken away.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_handlers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaseHandlerId,
    pub case_id: CaseId,
    pub user_id: UserId,
    pub added_by: Option<UserId>,
    pub added_at: DateTimeUtc,
    pub removed_by: Option<UserId>,
    pub removed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
