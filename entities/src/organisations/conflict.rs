//! `organisation_conflicts`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ConflictKind;
use crate::ids::ConflictId;
use crate::ids::OrganisationId;
use crate::ids::UserId;

/// What a person says ties them to an organisation, until it ends.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation_conflicts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConflictId,
    pub user_id: UserId,
    pub organisation_id: OrganisationId,
    pub kind: ConflictKind,
    pub declared_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
