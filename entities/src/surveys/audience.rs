//! `survey_audience`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::PlaceId;
use crate::ids::SurveyId;
use crate::ids::SurveyPushId;
use crate::ids::UserId;

/// A person who was asked: the denominator of the response rate.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_audience")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub survey_id: SurveyId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub building_id: PlaceId,
    pub push_id: SurveyPushId,
    pub answered: bool,
    /// Whether the rule for answers has been asked what it gives.
    pub rewarded: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
