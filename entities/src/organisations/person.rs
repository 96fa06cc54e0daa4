//! `organisation_people`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::PersonRole;
use crate::ids::OrganisationId;
use crate::ids::OrganisationPersonId;
use crate::ids::UserId;

/// Somebody of an organisation, until it ends.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation_people")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganisationPersonId,
    pub organisation_id: OrganisationId,
    pub user_id: UserId,
    pub role: PersonRole,
    pub duty: String,
    pub since: DateTimeUtc,
    pub added_by: Option<UserId>,
    pub ended_at: Option<DateTimeUtc>,
    pub ended_by: Option<UserId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
