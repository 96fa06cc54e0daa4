//! `no_shows`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::NoShowState;
use crate::ids::NoShowId;
use crate::ids::PlaceId;
use crate::ids::SignupId;
use crate::ids::SuspensionId;
use crate::ids::UserId;

/// Somebody's word that a person did not come, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "no_shows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub signup_id: SignupId,
    pub id: NoShowId,
    pub user_id: UserId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub missed_at: DateTimeUtc,
    pub state: NoShowState,
    pub set_by: Option<UserId>,
    pub set_at: DateTimeUtc,
    pub suspension_id: Option<SuspensionId>,
    pub appeal: Option<String>,
    pub appealed_at: Option<DateTimeUtc>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub decision: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
