//! `enrolments`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::EnrolmentState;
use crate::ids::EnrolmentId;
use crate::ids::SessionId;
use crate::ids::UserId;

/// One person's place in a session, or in its waiting list.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "enrolments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EnrolmentId,
    pub session_id: SessionId,
    pub user_id: UserId,
    pub state: EnrolmentState,
    pub queued_at: DateTimeUtc,
    #[sea_orm(column_type = "JsonBinary")]
    pub belongs_to: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
