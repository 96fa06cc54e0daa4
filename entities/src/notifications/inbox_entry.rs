//! `inbox_entries`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::InboxEntryId;
use crate::ids::UserId;

/// Something a person is told; the key makes a repeated delivery one entry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InboxEntryId,
    pub user_id: UserId,
    pub dedupe_key: String,
    pub kind: String,
    pub title: String,
    pub body: String,
    pub target_kind: Option<String>,
    pub target_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub read_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
