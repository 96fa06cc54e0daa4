//! `talent_applications`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ApplicationState;
use crate::ids::TalentApplicationId;
use crate::ids::TalentRoundId;
use crate::ids::UserId;

/// Somebody in such a round.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "talent_applications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalentApplicationId,
    pub round_id: TalentRoundId,
    pub user_id: UserId,
    pub statement: String,
    pub state: ApplicationState,
    pub applied_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
