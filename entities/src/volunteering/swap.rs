//! `swaps`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::SwapState;
use crate::ids::SignupId;
use crate::ids::SwapId;
use crate::ids::UserId;

/// An offer to exchange two seats.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "swaps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SwapId,
    pub signup_id: SignupId,
    pub with_signup_id: SignupId,
    pub user_id: UserId,
    pub with_user_id: UserId,
    pub state: SwapState,
    pub starts_at: DateTimeUtc,
    pub created_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
