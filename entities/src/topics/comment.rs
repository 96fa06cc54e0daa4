//! `topic_comments`
#![allow(missing_docs, reason = "columns are described by the migration and the API")]

use sea_orm::entity::prelude::*;

use crate::ids::PlaceId;
use crate::ids::TopicCommentId;
use crate::ids::TopicId;
use crate::ids::UserId;

/// What a resident says on a topic.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "topic_comments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TopicCommentId,
    pub topic_id: TopicId,
    pub community_id: PlaceId,
    pub place_path: String,
    pub author_id: UserId,
    pub body: String,
    pub published: bool,
    pub hidden: bool,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
