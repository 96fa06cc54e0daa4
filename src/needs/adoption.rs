//! A project answers needs: they are adopted, and whoever said them is told and rewarded by the community's rule.

use std::collections::HashSet;

use async_trait::async_trait;
use entities::ids::{NeedId, PlaceId, ProjectId, TopicId};
use entities::needs::{NeedEventKind, NeedState, need};
use entities::topics::{TopicState, topic, topic_need};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{domain, service};
use crate::identity::{self, Actor};
use crate::notifications::{self, Message, Template};
use crate::platform::capability::{Explained, Explanation};
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::points::{self, Earn, Quantity, RuleKey};

/// The word for a need as a source of points.
pub(super) const KIND: &str = "need";

/// Puts needs of a community into a project that answers them: all of them, or 422 at `/need_ids`.
///
/// Named authors who live there earn by the rule `need_adopted`. Who asked anonymously earns nothing: points in that very
/// moment would tell on the leaderboard who it was. Nor does whoever adopts their own need.
pub async fn adopt(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    community: PlaceId,
    (project, title): (ProjectId, &str),
    ids: &[NeedId],
) -> Result<(), Problem> {
    let wanted: HashSet<_> = ids.iter().copied().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let locked = need::Entity::find()
        .filter(need::Column::Id.is_in(wanted.iter().copied()))
        .order_by_asc(need::Column::Id)
        .lock(LockType::NoKeyUpdate);
    locked.all(txn).await?;
    let mut adopted = need::Entity::update_many()
        .col_expr(need::Column::State, NeedState::InProject.into())
        .col_expr(need::Column::ProjectId, project.0.into())
        .filter(need::Column::Id.is_in(wanted.iter().copied()))
        .filter(need::Column::CommunityId.eq(community))
        .filter(need::Column::State.is_in(domain::ADOPTABLE))
        .filter(need::Column::Hidden.eq(false))
        .exec_with_returning(txn)
        .await?;
    if adopted.len() != wanted.len() {
        let why = "须为本社区已发布、尚未立项的需求 / must be published needs of the community that are in no project";
        return Err(Problem::field("/need_ids", why));
    }
    // Who rewards several people goes through them in the order of their ids.
    adopted.sort_by_key(|row| (row.author_id, row.id));
    let noted = adopted.iter().map(|row| row.id);
    let event = (Some(title), Some(project.0));
    service::note(state, txn, noted, NeedEventKind::InProject, event, Some(actor.user_id)).await?;
    for row in adopted {
        let message = Message {
            kind: "need.adopted",
            title: "您的需求已立项".to_owned(),
            body: format!("“{}”纳入项目“{title}”", row.title),
            target: Some(("project", project.0)),
            dedupe_key: format!("need.adopted:{}:{project}", row.id),
            template: Template::Need,
        };
        notifications::tell_all(state, txn, &service::people_of(&row), &message).await?;
        let Some(author) = row.author_id.filter(|author| !row.anonymous && *author != actor.user_id) else { continue };
        if identity::residence(txn, author).await?.is_none_or(|home| home.community_id != community) {
            continue;
        }
        let earn = Earn {
            rule: RuleKey::NeedAdopted,
            community_id: community,
            person: author,
            source: (KIND, row.id.0),
            quantity: Quantity::Once,
            at: state.clock.now(),
            reason: format!("需求被采纳：{}", row.title),
            actor: Some(actor.user_id),
        };
        points::earn(state, txn, &earn).await?;
    }
    Ok(())
}

/// Takes needs out of a project that will not be carried out: neighbours and other projects find them as they were before, in the topic
/// that still talks about them, or published. What their authors earned stays theirs: they said something that was worth taking up.
pub async fn release_of_project(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: ProjectId,
) -> Result<(), Problem> {
    let locked = need::Entity::find()
        .filter(need::Column::ProjectId.eq(project))
        .order_by_asc(need::Column::Id)
        .lock(LockType::NoKeyUpdate);
    let locked: Vec<NeedId> = locked.all(txn).await?.into_iter().map(|row| row.id).collect();
    let talked_about = back_to_topics(state, txn, &locked).await?;
    let mut free = Vec::new();
    for (to, inside) in [(NeedState::InTopic, true), (NeedState::Published, false)] {
        let ids = locked.iter().copied().filter(|id| talked_about.contains(id) == inside);
        let moved = need::Entity::update_many()
            .col_expr(need::Column::State, to.into())
            .col_expr(need::Column::ProjectId, Option::<Uuid>::None.into())
            .filter(need::Column::Id.is_in(ids))
            .filter(need::Column::State.eq(NeedState::InProject))
            .exec_with_returning(txn)
            .await?;
        free.extend(moved);
    }
    let noted = free.iter().map(|row| row.id);
    let event = (None, Some(project.0));
    service::note(state, txn, noted, NeedEventKind::LeftProject, event, Some(actor.user_id)).await?;
    for row in free {
        let message = Message {
            kind: "need.released",
            title: "您的需求重新公开".to_owned(),
            body: format!("“{}”所在的项目不再进行", row.title),
            target: Some((KIND, row.id.0)),
            dedupe_key: format!("need.released:{}:{project}", row.id),
            template: Template::Need,
        };
        notifications::tell_all(state, txn, &service::people_of(&row), &message).await?;
    }
    Ok(())
}

/// Which of some locked needs a topic still talks about. The others leave topics that are decided, so that a new one can take them in.
/// Whoever decides a topic locks its needs afterwards, and finds these in it.
async fn back_to_topics(
    state: &AppState,
    txn: &DatabaseTransaction,
    needs: &[NeedId],
) -> Result<HashSet<NeedId>, Problem> {
    let of_these = |ids: Vec<NeedId>| {
        Condition::all().add(topic_need::Column::NeedId.is_in(ids)).add(topic_need::Column::RemovedAt.is_null())
    };
    let inside = topic_need::Entity::find().filter(of_these(needs.to_vec())).all(txn).await?;
    let decided: Vec<TopicId> = topic::Entity::find()
        .select_only()
        .column(topic::Column::Id)
        .filter(topic::Column::Id.is_in(inside.iter().map(|row| row.topic_id)))
        .filter(topic::Column::State.eq(TopicState::Resolved))
        .into_tuple()
        .all(txn)
        .await?;
    let (over, live): (Vec<_>, Vec<_>) = inside.into_iter().partition(|row| decided.contains(&row.topic_id));
    topic_need::Entity::update_many()
        .col_expr(topic_need::Column::RemovedAt, state.clock.now().into())
        .filter(of_these(over.iter().map(|row| row.need_id).collect()))
        .exec(txn)
        .await?;
    Ok(live.into_iter().map(|row| row.need_id).collect())
}

pub(super) struct Needs;

#[async_trait(?Send)]
impl Explained for Needs {
    async fn explain(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Explanation>, Problem> {
        let row = need::Entity::find_by_id(NeedId(id)).one(connection).await?;
        Ok(row.map(|row| Explanation {
            what: format!("需求被采纳：{}", row.title),
            evidence: Vec::new(),
            minutes: None,
            confirmed: Vec::new(),
        }))
    }
}
