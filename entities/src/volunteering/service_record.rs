//! `service_records`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::PlaceId;
use crate::ids::ShiftId;
use crate::ids::SignupId;
use crate::ids::UserId;

/// What was confirmed of one sign-up, as the ministry's record asks for it; only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub signup_id: SignupId,
    pub batch_id: Uuid,
    pub shift_id: ShiftId,
    pub user_id: UserId,
    pub community_id: PlaceId,
    pub minutes: i64,
    pub people_served: Option<i32>,
    pub content: String,
    pub rating: Option<i32>,
    pub responsible: String,
    pub recorded_by: UserId,
    pub recorded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
