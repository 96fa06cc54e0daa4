//! `certificates`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::CertificateState;
use crate::ids::CertificateId;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// A certificate of volunteer service, from the wish for one on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "certificates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CertificateId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub user_id: UserId,
    pub state: CertificateState,
    pub from_day: Option<String>,
    pub to_day: Option<String>,
    pub requested_at: DateTimeUtc,
    pub year: Option<i32>,
    pub seq: Option<i64>,
    pub serial: Option<String>,
    pub code: Option<String>,
    pub masked_name: Option<String>,
    pub minutes: Option<i64>,
    pub issuer: Option<String>,
    pub content_cipher: Option<String>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub decline_reason: Option<String>,
    pub revoked_by: Option<UserId>,
    pub revoked_at: Option<DateTimeUtc>,
    pub revoke_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
