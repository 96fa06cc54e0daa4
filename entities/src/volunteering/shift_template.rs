//! `shift_templates`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ActivityId;
use crate::ids::ShiftTemplateId;
use crate::ids::UserId;

/// A plan by which shifts are made.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "shift_templates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ShiftTemplateId,
    pub activity_id: ActivityId,
    pub digest: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub plan: Json,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
