//! `organisations`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::OrganisationState;
use crate::ids::OrganisationId;
use crate::ids::PlaceId;
use crate::ids::PlatformId;

/// A social organisation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganisationId,
    pub name: String,
    pub state: OrganisationState,
    pub place_id: Option<PlaceId>,
    pub created_at: DateTimeUtc,
    pub credit_code: Option<String>,
    pub purpose: String,
    pub address: Option<String>,
    pub phone_cipher: Option<String>,
    pub incubator_id: Option<PlatformId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
