use entities::ids::{PlaceId, UserId};
use entities::points::award_budget;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde_json::json;
use uuid::Uuid;

use super::{board, domain};
use crate::audit;
use crate::identity::{self, Actor, Permission};
use crate::ledger::{self, Movement, Party, TransferKind};
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
    let movement = Movement {
        community_id: award.community_id,
        from: Party::Issuance,
        to: Party::Person(award.person),
        amount: award.amount,
        kind: TransferKind::Award,
        dedupe_key: Some(key.clone()),
        reason: &award.reason,
        actor: award.actor,
        source: award.source,
        at: state.clock.now(),
    };
    if !ledger::transfer(state, txn, &movement).await? {
        return Ok(false);
    }
    board::raise(txn, award.community_id, award.person, award.amount, movement.at).await?;
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
