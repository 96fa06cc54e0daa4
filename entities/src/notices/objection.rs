//! `objections`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::ObjectionState;
use crate::ids::NoticeId;
use crate::ids::ObjectionId;
use crate::ids::UserId;

/// What somebody has against a notice, and what was replied.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "objections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ObjectionId,
    pub notice_id: NoticeId,
    pub place_path: String,
    pub author_id: UserId,
    pub text: String,
    pub published_at: Option<DateTimeUtc>,
    pub hidden: bool,
    pub state: ObjectionState,
    pub created_at: DateTimeUtc,
    pub reply_due: DateTimeUtc,
    pub reply: Option<String>,
    pub replied_by: Option<UserId>,
    pub replied_at: Option<DateTimeUtc>,
    pub salt: Option<String>,
    pub reply_notice_id: Option<NoticeId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
