//! `project_services`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ServiceKind;
use super::ServiceState;
use crate::ids::ProjectId;
use crate::ids::ServiceId;
use crate::ids::UserId;

/// One service, sealed once it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_services")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceId,
    pub project_id: ProjectId,
    pub kind: ServiceKind,
    pub held_on: String,
    pub place: String,
    pub content: String,
    pub heads: i64,
    pub reached: i64,
    pub source_id: Option<Uuid>,
    pub state: ServiceState,
    pub recorded_by: UserId,
    pub recorded_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
