//! `complaints`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::ComplaintId;
use crate::ids::NeedId;
use crate::ids::PlaceId;
use crate::ids::UserId;

/// A complaint about the service or about somebody's conduct; only staff read it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "complaints")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ComplaintId,
    pub user_id: UserId,
    pub community_id: Option<PlaceId>,
    pub place_path: String,
    pub about: Option<String>,
    pub body: String,
    pub created_at: DateTimeUtc,
    pub need_id: Option<NeedId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
