//! `team_members`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::MemberState;
use crate::ids::TeamId;
use crate::ids::TeamMemberId;
use crate::ids::UserId;

/// One person's membership of one team, from request or invitation on.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "team_members")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TeamMemberId,
    pub team_id: TeamId,
    pub user_id: UserId,
    pub state: MemberState,
    pub asked_by: UserId,
    pub asked_at: DateTimeUtc,
    pub answered_by: Option<UserId>,
    pub answered_at: Option<DateTimeUtc>,
    pub ended_by: Option<UserId>,
    pub ended_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
