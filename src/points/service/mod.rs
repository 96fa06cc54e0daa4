//! The commands: [`award`] credits what is computed, [`earn`] computes by a rule.

pub(super) mod earn;
pub(super) mod manual;
pub(super) mod rules;

use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, UserId};
use entities::points::score;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use uuid::Uuid;

use super::domain::{self, Period};
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
    count(txn, award, now).await?;
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

/// Adds an award to the person's score of each period that its day lies in: one statement.
async fn count(txn: &DatabaseTransaction, award: &Award<'_>, at: DateTime<Utc>) -> Result<(), Problem> {
    let day = domain::china_day(at);
    let rows = Period::ALL.map(|period| score::ActiveModel {
        community_id: Set(award.community_id),
        period: Set(period.key(day)),
        user_id: Set(award.person),
        points: Set(award.amount),
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
