use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, UserId};
use entities::points::{award_budget, score};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::json;
use uuid::Uuid;

use super::domain::{self, Period};
use crate::audit;
use crate::identity::{self, Actor, Permission};
use crate::ledger::{self, Party, Transaction, TransactionKind, Transfer};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
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

/// At most so many points by hand in one call.
pub(super) const PER_CALL: i64 = 100;
/// At most so many by hand on one day; the table's CHECK says the same.
const PER_DAY: i64 = 5_000;
/// The source of awards by hand.
pub(super) const BY_HAND: &str = "award";

/// Staff reward somebody for what no rule covers.
pub(super) async fn award_by_hand(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    person: UserId,
    amount: i64,
    reason: &str,
) -> Result<Uuid, Problem> {
    actor.require_somewhere(Permission::AwardPoints)?;
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let home = identity::residence(txn, person)
        .await?
        .ok_or_else(|| Problem::field("/user_id", "须为已认证的居民 / must be a verified resident"))?;
    actor.require(Permission::AwardPoints, &home.place_path)?;
    spend_budget(state, txn, actor.user_id, amount).await?;
    let id: Uuid = ids::ordered(&state.clock);
    let gift = Award {
        community_id: home.community_id,
        person,
        amount,
        rule: "points.by_hand",
        source: (BY_HAND, id),
        reason: reason.to_owned(),
        actor: Some(actor.user_id),
    };
    award(state, txn, &gift).await?;
    let detail = json!({ "user_id": person, "amount": amount });
    audit::record(state, txn, Some(actor.user_id), "points.award", (BY_HAND, id), Some(home.community_id), detail)
        .await?;
    Ok(id)
}

/// Takes from what the member of staff may still award today: the statement's condition decides.
async fn spend_budget(state: &AppState, txn: &DatabaseTransaction, actor: UserId, amount: i64) -> Result<(), Problem> {
    let row = award_budget::ActiveModel {
        actor_id: Set(actor),
        day: Set(domain::china_day(state.clock.now()).to_string()),
        spent: Set(amount),
    };
    let add = OnConflict::columns([award_budget::Column::ActorId, award_budget::Column::Day])
        .value(award_budget::Column::Spent, Expr::cust("award_budgets.spent + excluded.spent"))
        .action_and_where(Expr::cust(format!("award_budgets.spent + excluded.spent <= {PER_DAY}")))
        .to_owned();
    let spent = award_budget::Entity::insert(row).on_conflict(add).exec_without_returning(txn).await?;
    if spent == 1 { Ok(()) } else { Err(Code::AwardLimit.into()) }
}
