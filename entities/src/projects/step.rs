//! `project_steps`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ProjectAction;
use super::ProjectState;

/// A step that the lifecycle allows.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_steps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub action: ProjectAction,
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_state: ProjectState,
    pub to_state: ProjectState,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
