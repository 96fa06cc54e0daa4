//! `case_files`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::{CaseOrigin, CaseState};
use crate::ids::CaseId;
use crate::ids::FileId;
use crate::ids::PlaceId;
use crate::ids::ProjectId;
use crate::ids::UserId;
use crate::needs::NeedCategory;

/// One person's trouble, for the social workers in charge.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "case_files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaseId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub origin: CaseOrigin,
    pub project_id: Option<ProjectId>,
    pub category: NeedCategory,
    pub subject_cipher: String,
    pub summary_cipher: String,
    pub state: CaseState,
    pub opened_by: UserId,
    pub opened_at: DateTimeUtc,
    pub closed_by: Option<UserId>,
    pub closed_at: Option<DateTimeUtc>,
    pub voice_file_id: Option<FileId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
