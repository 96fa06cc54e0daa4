//! Telling everybody who supports a need, batch by batch, after the transaction that gave reason to.

use entities::ids::{NeedId, UserId};
use entities::needs::support;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::needs::moderated;
use crate::notifications::{self, Message, Template};
use crate::platform::http::{Problem, transact};
use crate::platform::jobs::{self, JobError};
use crate::platform::state::AppState;

pub(in crate::needs) const JOB: &str = "needs.tell";
const BATCH: u64 = 500;

/// What supporters of a need are told.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::needs) struct Word {
    /// Whose supporters.
    pub of: NeedId,
    pub kind: String,
    pub title: String,
    pub body: String,
    /// What it leads to.
    pub about: NeedId,
    pub dedupe_key: String,
    /// Who was told already, in the order of people.
    pub after: Option<UserId>,
}

impl Word {
    fn message(&self) -> Message<'_> {
        Message {
            kind: &self.kind,
            title: self.title.clone(),
            body: self.body.clone(),
            target: Some((moderated::KIND, self.about.0)),
            dedupe_key: self.dedupe_key.clone(),
            template: Template::Need,
        }
    }
}

/// Tells some people now, and promises to tell the supporters.
pub(in crate::needs) async fn tell(
    state: &AppState,
    txn: &DatabaseTransaction,
    people: &[UserId],
    word: Word,
) -> Result<(), Problem> {
    if !people.is_empty() {
        notifications::tell_all(state, txn, people, &word.message()).await?;
    }
    jobs::enqueue(txn, &state.clock, JOB, word).await
}

/// Tells the next batch of supporters; a repetition tells nobody twice.
pub(in crate::needs) async fn run(state: AppState, payload: Value) -> Result<(), JobError> {
    let mut word: Word = serde_json::from_value(payload)?;
    let mut people = support::Entity::find()
        .select_only()
        .column(support::Column::UserId)
        .filter(support::Column::NeedId.eq(word.of))
        .order_by_asc(support::Column::UserId)
        .limit(BATCH);
    if let Some(after) = word.after {
        people = people.filter(support::Column::UserId.gt(after));
    }
    let people: Vec<UserId> = people.into_tuple().all(state.db.read()).await?;
    let Some(last) = people.last().copied() else { return Ok(()) };
    transact(&state, async |txn| {
        notifications::tell_all(&state, txn, &people, &word.message()).await?;
        word.after = Some(last);
        if u64::try_from(people.len()).unwrap_or_default() < BATCH {
            return Ok(());
        }
        jobs::enqueue(txn, &state.clock, JOB, &word).await
    })
    .await?;
    Ok(())
}
