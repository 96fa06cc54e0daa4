//! `tender_questions`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::TenderId;
use crate::ids::TenderQuestionId;
use crate::ids::UserId;

/// Something an organisation asked; public with its answer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tender_questions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenderQuestionId,
    pub tender_id: TenderId,
    pub asker_cipher: String,
    pub body: String,
    pub asked_at: DateTimeUtc,
    pub answer: Option<String>,
    pub answered_by: Option<UserId>,
    pub answered_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
