//! `files`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::FileState;
use crate::ids::FileId;
use crate::ids::UserId;

/// A picture, document or voice that somebody uploaded; its bytes lie in the blob store.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FileId,
    pub owner_id: UserId,
    pub content_type: String,
    pub bytes: i64,
    pub width: i32,
    pub height: i32,
    pub sha256: String,
    pub state: FileState,
    pub trace_id: Option<String>,
    pub place_path: Option<String>,
    pub public: bool,
    pub created_at: DateTimeUtc,
    pub duration_ms: Option<i64>,
    pub confidential: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
