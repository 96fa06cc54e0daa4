//! What happens by itself: opening and closing on time, and telling the electors.

use chrono::TimeDelta;
use entities::ids::{PollId, UserId};
use entities::polls::{PollState, elector, poll};
use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::service;
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::{self, JobError};
use crate::platform::state::AppState;

pub(super) const INVITE: &str = "polls.invite";
/// So many electors are told in one transaction.
const BATCH: u64 = 500;
/// A closing by hand ends the voting first; it is left the time to count, lest it be told that somebody else was quicker.
const GRACE: TimeDelta = TimeDelta::seconds(2);
/// So many polls are opened and closed at a time; the rest at the next.
const POLLS: u64 = 100;

/// Opens and closes what is due, each poll in its own transaction. Whoever was quicker has done it.
pub(super) async fn run(state: AppState) -> Result<(), JobError> {
    let now = state.clock.now();
    let still_to_come = poll::Column::ClosesAt.is_null().or(poll::Column::ClosesAt.gt(now));
    let to_open = poll::Column::State.eq(PollState::Draft).and(poll::Column::OpensAt.lte(now)).and(still_to_come);
    let to_close = poll::Column::State.eq(PollState::Open).and(poll::Column::ClosesAt.lte(now - GRACE));
    let mut outcome = Ok(());
    for id in due(&state, Condition::all().add(to_open)).await? {
        let opened = transact(&state, async |txn| service::open(&state, txn, None, id).await).await;
        outcome = outcome.and(settled(opened.map(drop)));
    }
    for id in due(&state, Condition::all().add(to_close)).await? {
        let closed = transact(&state, async |txn| service::close(&state, txn, None, id).await).await;
        outcome = outcome.and(settled(closed.map(drop)));
    }
    outcome
}

async fn due(state: &AppState, condition: Condition) -> Result<Vec<PollId>, Problem> {
    let polls = poll::Entity::find().select_only().column(poll::Column::Id).filter(condition).limit(POLLS);
    Ok(polls.into_tuple().all(state.db.read()).await?)
}

fn settled(outcome: Result<(), Problem>) -> Result<(), JobError> {
    match outcome {
        Err(problem) if !matches!(problem.code(), Code::PollAlreadyOpen | Code::PollClosed) => Err(problem.into()),
        _ => Ok(()),
    }
}

/// Where the telling of a poll's electors has come to.
#[derive(Serialize, Deserialize)]
pub(super) struct Invitation {
    pub poll_id: PollId,
    pub after: Option<UserId>,
}

/// Tells one batch of electors that they may vote and promises the next.
pub(super) async fn invite(state: AppState, payload: Value) -> Result<(), JobError> {
    let Invitation { poll_id, after } = serde_json::from_value(payload)?;
    transact(&state, async |txn| {
        let poll = poll::Entity::find_by_id(poll_id).one(txn).await?.ok_or(Code::NotFound)?;
        if poll.state != PollState::Open {
            return Ok(());
        }
        let mut roll = elector::Entity::find()
            .select_only()
            .column(elector::Column::UserId)
            .filter(elector::Column::PollId.eq(poll_id))
            .order_by_asc(elector::Column::UserId)
            .limit(BATCH);
        if let Some(after) = after {
            roll = roll.filter(elector::Column::UserId.gt(after));
        }
        let people: Vec<UserId> = roll.into_tuple().all(txn).await?;
        let Some(last) = people.last() else { return Ok(()) };
        let message = Message {
            kind: "poll.opened",
            title: "有新的表决等您投票".to_owned(),
            body: poll.title.clone(),
            target: Some(("poll", poll_id.0)),
            dedupe_key: format!("poll.opened:{poll_id}"),
            template: Template::Survey,
        };
        notifications::tell_all(&state, txn, &people, &message).await?;
        let next = Invitation { poll_id, after: Some(*last) };
        jobs::enqueue(txn, &state.clock, INVITE, next).await
    })
    .await?;
    Ok(())
}
