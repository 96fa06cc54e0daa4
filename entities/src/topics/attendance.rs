//! `deliberation_attendances`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::SignedBy;
use crate::ids::DeliberationId;
use crate::ids::UserId;

/// Somebody who came to a deliberation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliberation_attendances")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub deliberation_id: DeliberationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub method: SignedBy,
    pub marked_by: Option<UserId>,
    pub at: DateTimeUtc,
    pub confirmed_by: Option<UserId>,
    pub confirmed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
