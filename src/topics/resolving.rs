//! What is decided on a topic, by its staff or by a vote.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::ids::{DeliberationId, TopicId, UserId};
use entities::topics::{Resolution, TopicState, topic};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::KIND;
use super::domain::{self, Consequence};
use super::service::{deliberations, needs_of, open_for_staff};
use crate::identity::Actor;
use crate::needs::{self, Ending};
use crate::notices::{self, Notice};
use crate::platform::capability::{PollResult, Polled};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;
use crate::{audit, polls};

/// A decision on a topic.
pub(super) struct Decision<'a> {
    pub resolution: Resolution,
    /// Residents read it.
    pub reason: &'a str,
    /// The meeting that decided, if one did: its minutes must be confirmed.
    pub deliberation_id: Option<DeliberationId>,
    /// When the voting is to end.
    pub closes_at: Option<DateTime<Utc>>,
}

/// Decides on an open topic, once. A vote drafts its poll, which staff open like any other.
pub(super) async fn resolve(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: TopicId,
    decision: Decision<'_>,
) -> Result<topic::Model, Problem> {
    let row = open_for_staff(txn, actor, id).await?;
    let mut present = None;
    if let Some(meeting) = decision.deliberation_id {
        let meeting = deliberations::held(txn, meeting).await.ok().filter(|meeting| meeting.topic_id == id);
        let why = "须为本议题已核对纪要的议事 / a deliberation of this topic whose minutes are confirmed";
        let meeting = meeting
            .filter(|meeting| meeting.confirmed_at.is_some())
            .ok_or_else(|| Problem::field("/deliberation_id", why))?;
        present = deliberations::present(txn, &[meeting.id]).await?.first().map(|(_, count)| *count);
    }
    let vote = decision.resolution == Resolution::Vote;
    let poll_id = if vote {
        let asked = (row.place_id, row.title.as_str());
        Some(polls::ask(state, txn, actor, asked, (KIND, id.0), decision.closes_at).await?)
    } else {
        None
    };
    let to = if vote { TopicState::Voting } else { TopicState::Resolved };
    let decided = topic::Entity::update_many()
        .col_expr(topic::Column::State, to.into())
        .col_expr(topic::Column::Resolution, decision.resolution.into())
        .col_expr(topic::Column::Reason, decision.reason.into())
        .col_expr(topic::Column::PollId, Expr::value(poll_id.map(|poll| poll.0)))
        .col_expr(topic::Column::DecidedBy, actor.user_id.into())
        .col_expr(topic::Column::DecidedAt, state.clock.now().into())
        .filter(topic::Column::Id.eq(id))
        .filter(topic::Column::State.eq(TopicState::Open))
        .exec_with_returning(txn)
        .await?;
    let row = decided.into_iter().next().ok_or(Code::TopicResolved)?;
    let detail = json!({ "resolution": decision.resolution, "poll_id": poll_id });
    let target = (KIND, id.0);
    audit::record(state, txn, Some(actor.user_id), "topic.resolve", target, Some(row.place_id), detail).await?;
    let present = present.map(|count| format!("议事到会 {count} 人。")).unwrap_or_default();
    let said = format!("{present}决定：{}。理由：{}", domain::title(decision.resolution), decision.reason);
    follow(state, txn, &row, Some(actor.user_id), decision.reason, said).await?;
    Ok(row)
}

/// What a decision does to the needs, and the notice of it. The board tells of a vote twice: that it is held, and its result.
async fn follow(
    state: &AppState,
    txn: &DatabaseTransaction,
    row: &topic::Model,
    by: Option<UserId>,
    answer: &str,
    said: String,
) -> Result<(), Problem> {
    let consequence =
        row.resolution.map_or(Consequence::Wait, |resolution| domain::consequence(resolution, row.adopted));
    let ending = match consequence {
        Consequence::Wait => None,
        Consequence::Answer => Some(Ending::Answered),
        Consequence::Decline => Some(Ending::Declined),
    };
    if let Some(ending) = ending {
        let ids = needs_of(txn, row.id).await?;
        needs::end(state, txn, by, row.id.0, &ids, (ending, answer)).await?;
    }
    let voting = row.state == TopicState::Voting;
    let notice = Notice {
        community_id: row.community_id,
        kind: if voting { "topic.voting" } else { "topic.resolved" },
        title: format!("议题决定：{}", row.title),
        body: said,
        subject: Some((KIND, row.id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await.map(drop)
}

pub(super) struct Topics;

#[async_trait(?Send)]
impl Polled for Topics {
    async fn closed(
        &self,
        state: &AppState,
        txn: &DatabaseTransaction,
        subject: Uuid,
        result: &PollResult,
    ) -> Result<(), Problem> {
        let row = topic::Entity::find_by_id(TopicId(subject)).lock_exclusive().one(txn).await?;
        let Some(row) = row.filter(|row| row.poll_id.is_some_and(|poll| poll.0 == result.poll_id)) else {
            return Ok(());
        };
        let adopted = result.adopted.unwrap_or(false);
        let decided = topic::Entity::update_many()
            .col_expr(topic::Column::State, TopicState::Resolved.into())
            .col_expr(topic::Column::Adopted, adopted.into())
            .filter(topic::Column::Id.eq(row.id))
            .filter(topic::Column::State.eq(TopicState::Voting))
            .exec_with_returning(txn)
            .await?;
        let Some(row) = decided.into_iter().next() else { return Ok(()) };
        let outcome = if adopted { "通过" } else { "未通过" };
        let answer = format!("经居民表决{outcome}");
        let said = format!("名册 {} 人，投票 {} 人，表决{outcome}。", result.electorate, result.ballots);
        follow(state, txn, &row, None, &answer, said).await
    }
}
