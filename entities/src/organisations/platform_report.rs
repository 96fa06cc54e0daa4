//! `platform_reports`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::PlatformLevel;
use super::ReportedFigure;
use crate::ids::PlaceId;
use crate::ids::PlatformReportId;
use crate::ids::UserId;

/// A figure about platforms as it was published.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "platform_reports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PlatformReportId,
    pub level: PlatformLevel,
    pub place_id: PlaceId,
    pub place_path: String,
    pub subject: String,
    pub figure: ReportedFigure,
    pub amount: i64,
    pub at_least: bool,
    pub source: String,
    pub recorded_by: Option<UserId>,
    pub recorded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
