//! `project_service_counts`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::CountOf;
use crate::ids::ProjectId;
use crate::ids::ServiceId;

/// Heads of a group, or what a service did for an indicator.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_service_counts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    pub project_id: ProjectId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub what: CountOf,
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub amount: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
