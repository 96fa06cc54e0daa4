//! `survey_pushes`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::SurveyId;
use crate::ids::SurveyPushId;
use crate::ids::UserId;

/// A survey sent to the doors of some buildings.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_pushes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SurveyPushId,
    pub survey_id: SurveyId,
    pub pushed_by: UserId,
    #[sea_orm(column_type = "JsonBinary")]
    pub building_ids: Json,
    pub audience: i64,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
