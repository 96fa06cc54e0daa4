//! `fund_expenses`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ExpenseKind;
use super::ExpenseState;
use crate::ids::FundExpenseId;
use crate::ids::FundId;
use crate::ids::UserId;

/// Money out, from its proposal on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "fund_expenses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FundExpenseId,
    pub fund_id: FundId,
    pub kind: ExpenseKind,
    pub payee_id: Option<UserId>,
    pub purpose: String,
    pub fen: i64,
    pub state: ExpenseState,
    pub proposed_by: UserId,
    pub proposed_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub reason: Option<String>,
    pub reversed_by: Option<UserId>,
    pub reversed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
