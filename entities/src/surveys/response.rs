//! `survey_responses`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::SurveyId;
use crate::ids::SurveyResponseId;
use crate::ids::UserId;

/// One set of answers; of an anonymous survey it has a random id, no person and no time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_responses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SurveyResponseId,
    pub survey_id: SurveyId,
    pub user_id: Option<UserId>,
    #[sea_orm(column_type = "JsonBinary")]
    pub answers: Json,
    pub answered_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
