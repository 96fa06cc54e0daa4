//! `projects`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ProjectState;
use crate::ids::OrganisationId;
use crate::ids::PlaceId;
use crate::ids::ProgrammeId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// Work for a place, with a budget in fen.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProjectId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub organisation_id: Option<OrganisationId>,
    pub title: String,
    pub summary: String,
    pub budget_fen: i64,
    pub state: ProjectState,
    #[sea_orm(column_type = "JsonBinary")]
    pub figures: Json,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub programme_id: Option<ProgrammeId>,
    pub designer_id: Option<OrganisationId>,
    pub version: i64,
    pub moves: i64,
    pub state_since: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
