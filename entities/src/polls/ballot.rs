//! `poll_ballots`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::BallotId;
use crate::ids::PollId;
use crate::ids::UserId;

/// One cast ballot; of a secret poll it has a random id, no person and no time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "poll_ballots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BallotId,
    pub poll_id: PollId,
    pub user_id: Option<UserId>,
    #[sea_orm(column_type = "JsonBinary")]
    pub choices: Json,
    pub cast_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
