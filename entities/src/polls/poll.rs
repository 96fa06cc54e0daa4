//! `polls`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use super::PollKind;
use super::PollState;
use crate::ids::PlaceId;
use crate::ids::PollId;
use crate::ids::UserId;

/// A question to an electorate that is frozen at opening.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "polls")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PollId,
    pub community_id: PlaceId,
    pub place_id: PlaceId,
    pub place_path: String,
    pub title: String,
    pub kind: PollKind,
    pub max_choices: i32,
    pub secret: bool,
    pub state: PollState,
    pub opens_at: Option<DateTimeUtc>,
    pub closes_at: Option<DateTimeUtc>,
    pub opened_at: Option<DateTimeUtc>,
    pub closed_at: Option<DateTimeUtc>,
    pub electorate: Option<i64>,
    pub ballots: Option<i64>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub result: Option<Json>,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
    pub subject_kind: Option<String>,
    pub subject_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
