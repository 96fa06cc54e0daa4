//! `merchants`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::MerchantId;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// A shop or an association that hands out rewards.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merchants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MerchantId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub name: String,
    pub address: String,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub opening: Option<Json>,
    pub phone_cipher: Option<String>,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
