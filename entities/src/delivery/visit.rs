//! `supervision_visits`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::OrganisationId;
use crate::ids::ProjectId;
use crate::ids::UserId;
use crate::ids::VisitId;

/// A visit of the supervisor; append-only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "supervision_visits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VisitId,
    pub project_id: ProjectId,
    pub organisation_id: OrganisationId,
    pub visited_on: String,
    pub seen: String,
    pub visited_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
