//! Changing a contract: one side proposes what it is to say, the other accepts. What was said before stays as a version.

use entities::ids::{ContractId, ContractVersionId};
use entities::tenders::{
    ContractSide, ContractState, MilestoneState, VersionState, contract, contract_version, milestone,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel};
use serde_json::json;

use super::contracts::{Held, line, lock_contract, milestones_of, planned, require_side, term, to_json};
use super::log;
use crate::identity::Actor;
use crate::notices::{self, Notice};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::tenders::domain::{self, Term, check_terms, yuan};

/// What somebody wants a contract to say.
pub struct Proposal<'a> {
    pub side: ContractSide,
    pub price_fen: i64,
    pub milestones: Vec<Term>,
    pub reason: &'a str,
}

/// Whether a milestone stays as it is, whatever is agreed.
fn is_fixed(row: &milestone::Model) -> bool {
    matches!(row.state, MilestoneState::Submitted | MilestoneState::Accepted)
}

fn held(rows: &[milestone::Model]) -> Vec<domain::Held> {
    let live = rows.iter().filter(|row| row.state != MilestoneState::Dropped);
    live.map(|row| domain::Held { term: term(row), fixed: is_fixed(row) }).collect()
}

/// Proposes a change for one side; one at a time.
pub async fn propose(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ContractId,
    proposal: Proposal<'_>,
) -> Result<contract_version::Model, Problem> {
    let locked = lock_contract(txn, id).await?;
    require_side(txn, actor, &locked, proposal.side).await?;
    let Held { project, contract } = locked;
    if contract.state != ContractState::Signed {
        return Err(Code::ContractState.into());
    }
    let rows = milestones_of(txn, id).await?;
    check_terms(proposal.price_fen, contract.committed_fen, &held(&rows), &proposal.milestones)?;
    // A number that was taken out is not used again: what was handed in for it still names it.
    let dropped = |term: &Term| rows.iter().any(|row| row.seq == term.seq && row.state == MilestoneState::Dropped);
    if let Some(at) = proposal.milestones.iter().position(dropped) {
        return Err(Problem::field(&format!("/milestones/{at}/seq"), "该序号的节点已取消 / this number was taken out"));
    }
    let version_id: ContractVersionId = ids::ordered(&state.clock);
    let row = contract_version::ActiveModel {
        id: Set(version_id),
        contract_id: Set(id),
        version: Set(None),
        side: Set(proposal.side),
        price_fen: Set(proposal.price_fen),
        milestones: Set(to_json(&proposal.milestones)?),
        reason: Set(proposal.reason.trim().to_owned()),
        state: Set(VersionState::Proposed),
        proposed_by: Set(actor.user_id),
        proposed_at: Set(state.clock.now()),
        decided_by: Set(None),
        decided_at: Set(None),
    };
    let there = OnConflict::new().do_nothing().to_owned();
    if contract_version::Entity::insert(row).on_conflict(there).exec_without_returning(txn).await? == 0 {
        return Err(Code::ContractState.into());
    }
    log(state, txn, actor, "contract.propose", ("contract", id.0), &project, json!({ "version_id": version_id }))
        .await?;
    contract_version::Entity::find_by_id(version_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Accepts or refuses a change, for the other side.
pub async fn decide(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ContractVersionId,
    accept: bool,
) -> Result<contract_version::Model, Problem> {
    let found = contract_version::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let locked = lock_contract(txn, found.contract_id).await?;
    let other = match found.side {
        ContractSide::Staff => ContractSide::Organisation,
        ContractSide::Organisation => ContractSide::Staff,
    };
    require_side(txn, actor, &locked, other).await?;
    let Held { project, contract } = locked;
    // Read again: the contract is locked now.
    let proposed = contract_version::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    if proposed.state != VersionState::Proposed {
        return Err(Code::AlreadyDecided.into());
    }
    if proposed.proposed_by == actor.user_id {
        return Err(Code::OwnAct.into());
    }
    let version = if accept { Some(apply(state, txn, &contract, &proposed).await?) } else { None };
    let now = state.clock.now();
    let mut decided = proposed.into_active_model();
    decided.state = Set(if accept { VersionState::Accepted } else { VersionState::Refused });
    decided.version = Set(version);
    (decided.decided_by, decided.decided_at) = (Set(Some(actor.user_id)), Set(Some(now)));
    // The trigger on it compares the milestones with the price.
    let decided = decided.update(txn).await?;
    log(state, txn, actor, "contract.decide", ("contract", contract.id.0), &project, json!({ "accept": accept }))
        .await?;
    if accept {
        let lines: Vec<String> = live(&milestones_of(txn, contract.id).await?).map(line).collect();
        let notice = Notice {
            community_id: project.community_id,
            kind: "contract.changed",
            title: format!("合同变更公告：{}", project.title),
            body: format!(
                "变更原因：{}\n合同金额：{}。\n{}",
                decided.reason,
                yuan(decided.price_fen),
                lines.join("\n")
            ),
            subject: Some(("contract_version", id.0)),
            ..Notice::default()
        };
        notices::publish(state, txn, notice).await?;
    }
    Ok(decided)
}

fn live(rows: &[milestone::Model]) -> impl Iterator<Item = &milestone::Model> {
    rows.iter().filter(|row| row.state != MilestoneState::Dropped)
}

/// Makes a contract say what was proposed; what was handed in meanwhile may forbid it. Gives the version's number.
async fn apply(
    state: &AppState,
    txn: &DatabaseTransaction,
    contract: &contract::Model,
    proposed: &contract_version::Model,
) -> Result<i64, Problem> {
    if contract.state != ContractState::Signed {
        return Err(Code::ContractState.into());
    }
    let terms: Vec<Term> = serde_json::from_value(proposed.milestones.clone())
        .map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let rows = milestones_of(txn, contract.id).await?;
    if check_terms(proposed.price_fen, contract.committed_fen, &held(&rows), &terms).is_err() {
        return Err(Code::ContractState.into());
    }
    for row in live(&rows).filter(|row| !is_fixed(row)) {
        let mut changed = row.clone().into_active_model();
        match terms.iter().find(|term| term.seq == row.seq) {
            Some(said) if *said == term(row) => continue,
            Some(said) => {
                changed.title = Set(said.title.clone());
                (changed.due_at, changed.amount_fen) = (Set(said.due_at), Set(said.amount_fen));
            }
            None => changed.state = Set(MilestoneState::Dropped),
        }
        changed.update(txn).await?;
    }
    let new: Vec<_> = terms
        .iter()
        .filter(|term| rows.iter().all(|row| row.seq != term.seq))
        .map(|term| planned(state, contract.id, term))
        .collect();
    if !new.is_empty() {
        milestone::Entity::insert_many(new).exec_without_returning(txn).await?;
    }
    let version = contract.versions + 1;
    let mut changed = contract.clone().into_active_model();
    (changed.price_fen, changed.versions) = (Set(proposed.price_fen), Set(version));
    changed.update(txn).await?;
    Ok(version)
}
