//! `academy_enrolments`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::CourseEnrolmentState;
use crate::ids::CourseEnrolmentId;
use crate::ids::CourseId;
use crate::ids::UserId;

/// Somebody in a course.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "academy_enrolments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CourseEnrolmentId,
    pub course_id: CourseId,
    pub user_id: UserId,
    pub state: CourseEnrolmentState,
    pub enrolled_at: DateTimeUtc,
    pub completed_by: Option<UserId>,
    pub completed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
