//! `need_events`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::NeedEventKind;
use crate::ids::NeedEventId;
use crate::ids::NeedId;
use crate::ids::UserId;

/// Something that happened to a need.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "need_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NeedEventId,
    pub need_id: NeedId,
    pub kind: NeedEventKind,
    pub text: Option<String>,
    pub related_id: Option<Uuid>,
    pub actor_id: Option<UserId>,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
