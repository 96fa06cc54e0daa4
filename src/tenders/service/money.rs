//! A contract's money: tranches paid for accepted milestones, and what is left at the end.

use entities::ids::MilestoneId;
use entities::ledger::TransactionKind;
use entities::projects::project;
use entities::tenders::{ContractState, MilestoneState, contract, milestone};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, QueryFilter,
};
use serde_json::json;

use super::contracts::lock_milestone;
use super::{log, programme_of};
use crate::identity::Actor;
use crate::ledger::{self, Party, Transaction, Transfer};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::projects;
use crate::projects::Who;

/// What is left of a contract's money: what was committed less what was paid.
pub async fn balance(
    connection: &impl ConnectionTrait,
    project: &project::Model,
    contract: &contract::Model,
) -> Result<i64, Problem> {
    let books = programme_of(connection, project).await?.place_id;
    Ok(ledger::fund_balance(connection, books, contract.id.0).await?.available())
}

/// Pays the tranche of an accepted milestone: once, out of the contract's fund. Who calls it says whom it is told.
pub async fn pay(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: MilestoneId,
) -> Result<milestone::Model, Problem> {
    let milestone = lock_milestone(txn, id).await?;
    let contract = contract::Entity::find_by_id(milestone.contract_id).one(txn).await?.ok_or(Code::Internal)?;
    let project = projects::lock(txn, contract.project_id).await?;
    projects::require(txn, actor, &project, Who::Programme).await?;
    if contract.state != ContractState::Signed {
        return Err(Code::ContractState.into());
    }
    let now = state.clock.now();
    // The condition decides: of two who pay at once, one finds it unpaid.
    let paid = milestone::Entity::update_many()
        .col_expr(milestone::Column::PaidAt, now.into())
        .col_expr(milestone::Column::PaidBy, actor.user_id.into())
        .filter(milestone::Column::Id.eq(id))
        .filter(milestone::Column::State.eq(MilestoneState::Accepted))
        .filter(milestone::Column::PaidAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let paid = paid.into_iter().next().ok_or(Code::MilestoneState)?;
    let programme = programme_of(txn, &project).await?;
    let reason = format!("{}：第{}节点", project.title, paid.seq);
    let transfer =
        Transfer { from: Party::Fund(contract.id.0), to: Party::Outside, amount: paid.amount_fen, expires_at: None };
    let what = Transaction {
        id: ids::named_at(&format!("milestone:{id}"), paid.accepted_at.unwrap_or(now)),
        community_id: programme.place_id,
        kind: TransactionKind::Payment,
        transfers: vec![transfer],
        dedupe_key: Some(format!("milestone:{id}")),
        reason: &reason,
        actor: Some(actor.user_id),
        source: ("milestone", id.0),
        at: now,
    };
    if !ledger::record(state, txn, &what).await? {
        return Err(Code::MilestoneState.into());
    }
    Ok(paid)
}

/// Ends a project's contract, if it has one that runs: what was not paid goes back to the programme. For whoever finishes or
/// terminates the locked project, in the same transaction; gives how much went back.
pub async fn settle(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
) -> Result<i64, Problem> {
    let running = contract::Entity::find()
        .filter(contract::Column::ProjectId.eq(project.id))
        .filter(contract::Column::State.eq(ContractState::Signed))
        .one(txn)
        .await?;
    let Some(contract) = running else { return Ok(0) };
    let now = state.clock.now();
    let programme = programme_of(txn, project).await?;
    let rest = balance(txn, project, &contract).await?;
    let (id, fund) = (contract.id, Party::Fund(contract.id.0));
    let mut closed = contract.into_active_model();
    (closed.state, closed.closed_at) = (Set(ContractState::Closed), Set(Some(now)));
    closed.update(txn).await?;
    if rest > 0 {
        let what = Transaction {
            id: ids::named_at(&format!("contract-rest:{id}"), now),
            community_id: programme.place_id,
            kind: TransactionKind::Budget,
            transfers: vec![Transfer { from: fund, to: Party::Fund(programme.id.0), amount: rest, expires_at: None }],
            dedupe_key: Some(format!("contract-rest:{id}")),
            reason: "合同余款退回",
            actor: Some(actor.user_id),
            source: ("contract", id.0),
            at: now,
        };
        ledger::record(state, txn, &what).await?;
    }
    log(state, txn, actor, "contract.close", ("contract", id.0), project, json!({ "returned_fen": rest })).await?;
    Ok(rest)
}
