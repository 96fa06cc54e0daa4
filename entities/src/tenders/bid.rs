//! `bids`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::BidState;
use crate::ids::BidId;
use crate::ids::OrganisationId;
use crate::ids::TenderId;

/// What an organisation offers; sealed until the opening.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bids")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BidId,
    pub tender_id: TenderId,
    pub bidder: String,
    pub versions: i64,
    pub state: BidState,
    pub received_at: DateTimeUtc,
    pub organisation_id: Option<OrganisationId>,
    pub price_fen: Option<i64>,
    pub document: Option<String>,
    pub salt: Option<String>,
    pub invalid_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
