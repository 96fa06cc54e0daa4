//! `organisation_standings`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::OrganisationState;
use crate::ids::OrganisationId;
use crate::ids::PlatformId;
use crate::ids::StandingId;
use crate::ids::UserId;

/// How an organisation stood from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation_standings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StandingId,
    pub organisation_id: OrganisationId,
    pub state: OrganisationState,
    pub incubator_id: Option<PlatformId>,
    pub reason: String,
    pub decided_by: Option<UserId>,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
