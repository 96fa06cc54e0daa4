use chrono::{DateTime, Utc};
use entities::ids::{AwardId, UserId};
use entities::points::{AwardState, award as manual, award_budget};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::json;

use super::{Award, credit};
use crate::audit;
use crate::identity::{self, Actor, Permission};
use crate::ledger;
use crate::notifications::{self, Message, Template};
use crate::places;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;

/// At most so many points by hand in one call.
pub(in crate::points) const PER_CALL: i64 = 100;
/// At most so many by hand on one day; the table's CHECK says the same.
const PER_DAY: i64 = 5_000;
/// The source of awards by hand.
pub(in crate::points) const BY_HAND: &str = "award";

/// Staff reward somebody for what no rule covers. Above the community's limit the award waits for a second person.
pub(in crate::points) async fn ask(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    person: UserId,
    amount: i64,
    reason: &str,
) -> Result<manual::Model, Problem> {
    actor.require_somewhere(Permission::AwardPoints)?;
    if person == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let home = identity::residence(txn, person)
        .await?
        .ok_or_else(|| Problem::field("/user_id", "须为已认证的居民 / must be a verified resident"))?;
    actor.require(Permission::AwardPoints, &home.place_path)?;
    let now = state.clock.now();
    spend_budget(txn, actor.user_id, amount, now).await?;
    let two_persons = amount > places::rules(state, txn, home.community_id).await?.award_second_person_above;
    let row = manual::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        community_id: Set(home.community_id),
        place_path: Set(home.place_path),
        user_id: Set(person),
        amount: Set(amount),
        reason: Set(reason.to_owned()),
        state: Set(if two_persons { AwardState::Pending } else { AwardState::Awarded }),
        two_persons: Set(two_persons),
        asked_by: Set(actor.user_id),
        asked_at: Set(now),
        decided_at: Set((!two_persons).then_some(now)),
        decided_by: Set(None),
        reject_reason: Set(None),
        reversed_by: Set(None),
        reversed_at: Set(None),
        reverse_reason: Set(None),
        entry_id: Set(None),
    };
    let row = row.insert(txn).await?;
    let row = if two_persons { row } else { hand_out(state, txn, actor, row).await? };
    record(state, txn, actor, "points.award", &row).await?;
    Ok(row)
}

/// A second person approves (no refusal) or rejects. Whoever decides first has decided: the state is part of the statement.
pub(in crate::points) async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: AwardId,
    refusal: Option<&str>,
) -> Result<manual::Model, Problem> {
    let row = seen(txn, actor, id).await?;
    if row.user_id == actor.user_id || row.asked_by == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let (decision, word) =
        if refusal.is_some() { (AwardState::Rejected, "reject") } else { (AwardState::Awarded, "approve") };
    let decided = manual::Entity::update_many()
        .col_expr(manual::Column::State, decision.into())
        .col_expr(manual::Column::DecidedBy, actor.user_id.into())
        .col_expr(manual::Column::DecidedAt, state.clock.now().into())
        .col_expr(manual::Column::RejectReason, Expr::value(refusal.map(str::to_owned)))
        .filter(manual::Column::Id.eq(id))
        .filter(manual::Column::State.eq(AwardState::Pending))
        .exec_with_returning(txn)
        .await?;
    let Some(row) = decided.into_iter().next() else { return Err(Code::AlreadyDecided.into()) };
    let row = if refusal.is_none() { hand_out(state, txn, actor, row).await? } else { row };
    record(state, txn, actor, &format!("points.{word}"), &row).await?;
    let (title, body) = match refusal {
        None => ("您申请的积分已发放", format!("{}分：{}", row.amount, row.reason)),
        Some(reason) => ("您申请的积分未通过", format!("原因：{reason}")),
    };
    let message = Message {
        kind: "points.decided",
        title: title.to_owned(),
        body,
        target: Some((BY_HAND, id.0)),
        dedupe_key: format!("points.decided:{id}"),
        template: Template::Points,
    };
    notifications::tell(state, txn, row.asked_by, &message).await?;
    Ok(row)
}

/// An award that the actor may handle, or 404.
pub(super) async fn seen(txn: &DatabaseTransaction, actor: &Actor, id: AwardId) -> Result<manual::Model, Problem> {
    let row = manual::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if actor.may(Permission::AwardPoints, &row.place_path) { Ok(row) } else { Err(Code::NotFound.into()) }
}

async fn hand_out(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    row: manual::Model,
) -> Result<manual::Model, Problem> {
    let gift = Award {
        community_id: row.community_id,
        person: row.user_id,
        amount: row.amount,
        rule: "points.by_hand",
        source: (BY_HAND, row.id.0),
        reason: row.reason.clone(),
        actor: Some(actor.user_id),
    };
    let budget = ledger::lock_for_award(txn, row.community_id, row.user_id, state.clock.now()).await?;
    let rules = places::rules(state, txn, row.community_id).await?;
    let entry = credit(state, txn, &gift, budget, &rules).await?.ok_or(Code::Internal)?;
    let mut row = row.into_active_model();
    row.entry_id = Set(Some(entry));
    Ok(row.update(txn).await?)
}

pub(super) async fn record(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    action: &str,
    row: &manual::Model,
) -> Result<(), Problem> {
    let detail = json!({ "user_id": row.user_id, "amount": row.amount, "state": row.state });
    audit::record(state, txn, Some(actor.user_id), action, (BY_HAND, row.id.0), Some(row.community_id), detail).await
}

/// Takes from what the member of staff may still award today: the statement's condition decides.
async fn spend_budget(
    txn: &DatabaseTransaction,
    actor: UserId,
    amount: i64,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let row = award_budget::ActiveModel {
        actor_id: Set(actor),
        day: Set(calendar::day(now).to_string()),
        spent: Set(amount),
    };
    let add = OnConflict::columns([award_budget::Column::ActorId, award_budget::Column::Day])
        .value(award_budget::Column::Spent, Expr::cust("award_budgets.spent + excluded.spent"))
        .action_and_where(Expr::cust(format!("award_budgets.spent + excluded.spent <= {PER_DAY}")))
        .to_owned();
    let spent = award_budget::Entity::insert(row).on_conflict(add).exec_without_returning(txn).await?;
    if spent == 1 { Ok(()) } else { Err(Code::AwardLimit.into()) }
}
