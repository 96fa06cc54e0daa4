//! `organisation_qualifications`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::OrganisationId;
use crate::ids::QualificationId;
use crate::ids::UserId;

/// What somebody certified of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation_qualifications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: QualificationId,
    pub organisation_id: OrganisationId,
    pub name: String,
    pub issuer: String,
    pub number: String,
    pub expires_at: Option<DateTimeUtc>,
    pub warned_at: Option<DateTimeUtc>,
    pub added_by: Option<UserId>,
    pub added_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
