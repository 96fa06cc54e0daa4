//! `service_sites`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::SiteKind;
use crate::ids::OrganisationId;
use crate::ids::PlaceId;
use crate::ids::SiteId;
use crate::ids::UserId;

/// Where a service is given.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_sites")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SiteId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub organisation_id: Option<OrganisationId>,
    pub kind: SiteKind,
    pub name: String,
    pub address: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub opening: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub fees: Json,
    pub lat_e6: i64,
    pub lng_e6: i64,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
