//! The commands: [`award`] credits what is computed, [`earn`] computes by a rule.

pub(super) mod budget;
pub(super) mod earn;
pub(super) mod expiry;
pub(super) mod manual;
pub(super) mod reversal;
pub(super) mod rules;

use entities::ids::{PlaceId, TransactionId, UserId};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::{board, domain};
use crate::ledger::{self, Party, Transaction, TransactionKind, Transfer};
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::code::Code;
use crate::platform::config::Rules;
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
/// the leaderboards. 409 `points_budget_exhausted` if the community has a budget that does not cover it.
pub async fn award(state: &AppState, txn: &DatabaseTransaction, award: &Award<'_>) -> Result<bool, Problem> {
    if award.amount <= 0 {
        return Ok(false);
    }
    let budget = ledger::lock_for_award(txn, award.community_id, award.person, state.clock.now()).await?;
    let rules = places::rules(state, txn, award.community_id).await?;
    Ok(credit(state, txn, award, budget, &rules).await?.is_some())
}

/// [`award`] for who holds the locks and knows the budget; gives the ledger's transaction, or nothing if it had been credited.
async fn credit(
    state: &AppState,
    txn: &DatabaseTransaction,
    award: &Award<'_>,
    budget: Option<i64>,
    rules: &Rules,
) -> Result<Option<TransactionId>, Problem> {
    let Award { community_id, person, amount, .. } = *award;
    let from = match budget {
        Some(left) if left < amount => return Err(Code::PointsBudgetExhausted.into()),
        Some(_) => Party::Budget,
        None => Party::Issuance,
    };
    let key = format!("{}:{}:{}:{person}", award.rule, award.source.0, award.source.1);
    let now = state.clock.now();
    let expires_at = domain::expires_at(now, rules.points_expire_months);
    let entry = Transaction {
        id: ids::ordered(&state.clock),
        community_id,
        kind: TransactionKind::Award,
        transfers: vec![Transfer { from, to: Party::Person(person), amount, expires_at }],
        dedupe_key: Some(key.clone()),
        reason: &award.reason,
        actor: award.actor,
        source: award.source,
        at: now,
    };
    if !ledger::record(state, txn, &entry).await? {
        return Ok(None);
    }
    board::raise(txn, community_id, person, amount, now).await?;
    let message = Message {
        kind: "points.awarded",
        title: format!("积分到账：+{amount}"),
        body: award.reason.clone(),
        target: Some(award.source),
        dedupe_key: key,
        template: Template::Points,
    };
    notifications::tell(state, txn, person, &message).await?;
    Ok(Some(entry.id))
}
