//! `stand_ins`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::StandInState;
use crate::ids::PlaceId;
use crate::ids::ShiftId;
use crate::ids::SignupId;
use crate::ids::StandInId;
use crate::ids::UserId;

/// A request that somebody else takes a seat.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stand_ins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StandInId,
    pub signup_id: SignupId,
    pub shift_id: ShiftId,
    pub community_id: PlaceId,
    pub user_id: UserId,
    pub named_id: Option<UserId>,
    pub state: StandInState,
    pub starts_at: DateTimeUtc,
    pub taken_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
