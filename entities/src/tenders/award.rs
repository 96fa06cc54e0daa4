//! `tender_awards`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::AwardState;
use crate::ids::BidId;
use crate::ids::NoticeId;
use crate::ids::TenderAwardId;
use crate::ids::TenderId;
use crate::ids::UserId;

/// Which bid is taken.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tender_awards")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TenderAwardId,
    pub tender_id: TenderId,
    pub bid_id: BidId,
    pub rank: i64,
    #[sea_orm(column_type = "JsonBinary")]
    pub ranking: Json,
    pub reason: Option<String>,
    pub state: AwardState,
    pub proposed_by: UserId,
    pub proposed_at: DateTimeUtc,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<DateTimeUtc>,
    pub notice_id: Option<NoticeId>,
    pub set_aside_by: Option<UserId>,
    pub set_aside_at: Option<DateTimeUtc>,
    pub set_aside_reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
