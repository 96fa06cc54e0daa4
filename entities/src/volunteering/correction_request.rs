//! `correction_requests`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::CorrectionRequestState;
use crate::ids::CorrectionRequestId;
use crate::ids::PlaceId;
use crate::ids::SignupId;
use crate::ids::UserId;

/// A volunteer's wish that a sealed figure be looked at again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "correction_requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CorrectionRequestId,
    pub signup_id: SignupId,
    pub user_id: UserId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub minutes: Option<i64>,
    pub reason: String,
    pub state: CorrectionRequestState,
    pub answer: Option<String>,
    pub answered_by: Option<UserId>,
    pub answered_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
