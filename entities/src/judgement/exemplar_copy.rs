//! `exemplar_copies`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ExemplarId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// Which project was copied from which; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exemplar_copies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub exemplar_id: ExemplarId,
    pub copied_from: ProjectId,
    pub copied_by: UserId,
    pub copied_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
