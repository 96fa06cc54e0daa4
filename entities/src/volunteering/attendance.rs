//! `attendances`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ActivityId;
use crate::ids::AttendanceId;
use crate::ids::SessionId;
use crate::ids::UserId;

/// Somebody who came to a session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attendances")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttendanceId,
    pub session_id: SessionId,
    pub activity_id: ActivityId,
    pub user_id: Option<UserId>,
    pub name_cipher: Option<String>,
    pub who: String,
    pub method: String,
    pub recorded_by: UserId,
    pub recorded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
