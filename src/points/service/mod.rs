//! The commands: [`award`] credits what is computed, [`earn`] computes by a rule.

pub(super) mod budget;
pub(super) mod earn;
pub(super) mod expiry;
pub(super) mod manual;
pub(super) mod reversal;
pub(super) mod rules;

use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, TransactionId, UserId};
use entities::points::score;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};
use uuid::Uuid;

use super::domain::{self, Period};
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
    raise(txn, community_id, person, amount, now).await?;
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

/// Adds points to the person's score of each period that their day lies in: one statement.
async fn raise(
    txn: &DatabaseTransaction,
    community: PlaceId,
    person: UserId,
    points: i64,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let rows = Period::ALL.map(|period| score::ActiveModel {
        community_id: Set(community),
        period: Set(period.key(domain::china_day(at))),
        user_id: Set(person),
        points: Set(points),
        reached_at: Set(at),
    });
    // Awards may commit in another order than they were dated in: the score was reached by the latest.
    let later = "CASE WHEN excluded.reached_at > points_scores.reached_at \
                 THEN excluded.reached_at ELSE points_scores.reached_at END";
    let add = OnConflict::columns([score::Column::CommunityId, score::Column::Period, score::Column::UserId])
        .value(score::Column::Points, Expr::cust("points_scores.points + excluded.points"))
        .value(score::Column::ReachedAt, Expr::cust(later))
        .to_owned();
    score::Entity::insert_many(rows).on_conflict(add).exec_without_returning(txn).await?;
    Ok(())
}

/// Takes points that were earned at `at` from the scores again. The moment in which a score was reached stays that of the latest
/// award, reversed or not.
async fn lower_scores(
    txn: &DatabaseTransaction,
    community: PlaceId,
    person: UserId,
    points: i64,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let periods = Period::ALL.map(|period| period.key(domain::china_day(at)));
    score::Entity::update_many()
        .col_expr(score::Column::Points, Expr::col(score::Column::Points).sub(points))
        .filter(score::Column::CommunityId.eq(community))
        .filter(score::Column::Period.is_in(periods))
        .filter(score::Column::UserId.eq(person))
        .exec(txn)
        .await?;
    Ok(())
}
