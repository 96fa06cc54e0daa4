//! `surveys`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::SurveyState;
use crate::ids::PlaceId;
use crate::ids::SurveyId;
use crate::ids::UserId;

/// A questionnaire; its questions are frozen when it is published.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "surveys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SurveyId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub title: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub questions: Json,
    pub anonymous: bool,
    pub state: SurveyState,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
    pub published_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
