//! `points_awards`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::AwardState;
use crate::ids::AwardId;
use crate::ids::PlaceId;
use crate::ids::TransactionId;
use crate::ids::UserId;

/// Points given by hand.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "points_awards")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AwardId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub user_id: UserId,
    pub amount: i64,
    pub reason: String,
    pub state: AwardState,
    pub two_persons: bool,
    pub asked_by: UserId,
    pub asked_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub reject_reason: Option<String>,
    pub reversed_by: Option<UserId>,
    pub reversed_at: Option<DateTimeUtc>,
    pub reverse_reason: Option<String>,
    pub entry_id: Option<TransactionId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
