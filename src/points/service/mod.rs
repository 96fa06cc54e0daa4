//! The commands: [`award`] credits what is computed, [`earn`] computes by a rule.

pub(super) mod earn;
pub(super) mod manual;
pub(super) mod rules;

use entities::ids::{PlaceId, UserId};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::board;
use crate::ledger::{self, Party, Transaction, TransactionKind, Transfer};
use crate::notifications::{self, Message, Template};
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// Points for somebody.
#[derive(Clone, Debug)]
pub struct Award<'a> {
    /// The community whose points they are.
    pub community_id: PlaceId,
    /// Who earned them.
    pub person: UserId,
    /// How many; none are no award.
    pub amount: i64,
    /// By which rule, as `capability.rule`: `volunteering.hours`.
    pub rule: &'a str,
    /// For what.
    pub source: (&'a str, Uuid),
    /// The same in Chinese; the person reads it.
    pub reason: String,
    /// Who decided it; nobody for what follows from a rule.
    pub actor: Option<UserId>,
}

/// Credits once per (source, rule, person); false if it had been credited. Tells the person (`Template::Points`), counts for
/// the leaderboards.
pub async fn award(state: &AppState, txn: &DatabaseTransaction, award: &Award<'_>) -> Result<bool, Problem> {
    if award.amount <= 0 {
        return Ok(false);
    }
    let key = format!("{}:{}:{}:{}", award.rule, award.source.0, award.source.1, award.person);
    let now = state.clock.now();
    let to = Party::Person(award.person);
    let credit = Transaction {
        id: ids::ordered(&state.clock),
        community_id: award.community_id,
        kind: TransactionKind::Award,
        transfers: vec![Transfer { from: Party::Issuance, to, amount: award.amount, expires_at: None }],
        dedupe_key: Some(key.clone()),
        reason: &award.reason,
        actor: award.actor,
        source: award.source,
        at: now,
    };
    if !ledger::record(state, txn, &credit).await? {
        return Ok(false);
    }
    board::raise(txn, award.community_id, award.person, award.amount, now).await?;
    let message = Message {
        kind: "points.awarded",
        title: format!("积分到账：+{}", award.amount),
        body: award.reason.clone(),
        target: Some(award.source),
        dedupe_key: key,
        template: Template::Points,
    };
    notifications::tell(state, txn, award.person, &message).await?;
    Ok(true)
}
