//! `grants`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::Role;
use crate::ids::GrantId;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// A role at one place: who gave it, when, until when.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GrantId,
    pub user_id: UserId,
    pub role: Role,
    pub place_id: PlaceId,
    pub place_path: String,
    pub given_by: Option<UserId>,
    pub given_at: DateTimeUtc,
    pub until: Option<DateTimeUtc>,
    pub revoked_by: Option<UserId>,
    pub revoked_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
