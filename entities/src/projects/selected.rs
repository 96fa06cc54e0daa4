//! `project_selections`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ProjectId;
use crate::ids::SelectionId;
use crate::ids::TransactionId;
use crate::ids::UserId;

/// A project that was selected, with its money.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_selections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub selection_id: SelectionId,
    pub amount_fen: i64,
    pub transaction_id: TransactionId,
    pub proposed_by: UserId,
    pub confirmed_by: UserId,
    pub confirmed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
