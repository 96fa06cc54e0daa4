//! `rating_windows`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::NoticeId;
use crate::ids::ProjectId;

/// When residents may rate a project.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rating_windows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    pub opened_at: DateTimeUtc,
    pub closes_at: DateTimeUtc,
    pub published_at: Option<DateTimeUtc>,
    pub notice_id: Option<NoticeId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
