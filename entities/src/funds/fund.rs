//! `funds`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::FundId;
use crate::ids::PlaceId;
use crate::ids::ProjectId;
use crate::ids::UserId;

/// An association's money.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "funds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FundId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub name: String,
    pub charter: String,
    pub project_id: Option<ProjectId>,
    pub treasurer_id: UserId,
    pub auditor_id: UserId,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
