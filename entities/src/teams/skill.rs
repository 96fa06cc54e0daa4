//! `team_skills`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::TeamMemberId;
use crate::ids::UserId;

/// Something that a member can do.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "team_skills")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: TeamMemberId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub skill: String,
    pub user_id: UserId,
    pub confirmed_by: Option<UserId>,
    pub confirmed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
