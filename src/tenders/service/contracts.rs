//! Contracts: drawn up from the awarded bid, signed by both sides, then the money moves.

use chrono::{DateTime, Utc};
use entities::ids::{ContractId, MilestoneId, ProjectId};
use entities::ledger::TransactionKind;
use entities::projects::{Part, ProjectAction, ProjectState, project};
use entities::tenders::{
    BidState, ContractSide, ContractState, MilestoneState, TenderState, VersionState, bid, contract, contract_version,
    milestone, tender,
};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use super::awards::standing_award;
use super::{Entered, act_for, enter_as_staff, log, name_of, programme_of, when};
use crate::identity::Actor;
use crate::ledger::{self, Party, Transaction, Transfer};
use crate::notices::{self, Notice, Standing};
use crate::notifications::{self, Message, Template};
use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::ids;
use crate::platform::state::AppState;
use crate::projects::Who;
use crate::tenders::domain::{Bid, Term, yuan};
use crate::{organisations, projects};

/// The contract of a project, once one was drawn up.
pub async fn contract_of(
    connection: &impl ConnectionTrait,
    project: ProjectId,
) -> Result<Option<contract::Model>, Problem> {
    Ok(contract::Entity::find().filter(contract::Column::ProjectId.eq(project)).one(connection).await?)
}

/// A contract's milestones in their order; those that a change took out are among them.
pub async fn milestones_of(
    connection: &impl ConnectionTrait,
    id: ContractId,
) -> Result<Vec<milestone::Model>, Problem> {
    let milestones = milestone::Entity::find().filter(milestone::Column::ContractId.eq(id));
    Ok(milestones.order_by_asc(milestone::Column::Seq).all(connection).await?)
}

/// A contract with its project, both locked.
pub struct Held {
    /// What it is for.
    pub project: project::Model,
    /// What it says.
    pub contract: contract::Model,
}

/// Locks a contract behind its project, or 404.
pub async fn lock_contract(txn: &DatabaseTransaction, id: ContractId) -> Result<Held, Problem> {
    let found = contract::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    let project = projects::lock(txn, found.project_id).await?;
    let contract =
        contract::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(txn).await?.ok_or(Code::NotFound)?;
    Ok(Held { project, contract })
}

/// The contract of a milestone, or 404.
pub async fn contract_of_milestone(txn: &impl ConnectionTrait, id: MilestoneId) -> Result<contract::Model, Problem> {
    let row = milestone::Entity::find_by_id(id).one(txn).await?.ok_or(Code::NotFound)?;
    contract::Entity::find_by_id(row.contract_id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// Locks a milestone behind its project and its contract, or 404. Who moves it on locks it so.
pub async fn lock_milestone(txn: &DatabaseTransaction, id: MilestoneId) -> Result<milestone::Model, Problem> {
    lock_contract(txn, contract_of_milestone(txn, id).await?.id).await?;
    let locked = milestone::Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    locked.one(txn).await?.ok_or_else(|| Code::NotFound.into())
}

/// What is written of a milestone in a version.
pub fn term(row: &milestone::Model) -> Term {
    Term { seq: row.seq, title: row.title.clone(), due_at: row.due_at, amount_fen: row.amount_fen }
}

pub fn to_json(value: &impl serde::Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::from(Code::Internal).caused_by(error))
}

/// A milestone as a contract begins with it.
pub fn planned(state: &AppState, contract: ContractId, term: &Term) -> milestone::ActiveModel {
    milestone::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        contract_id: Set(contract),
        seq: Set(term.seq),
        title: Set(term.title.clone()),
        due_at: Set(term.due_at),
        amount_fen: Set(term.amount_fen),
        state: Set(MilestoneState::Planned),
        accepted_by: Set(None),
        accepted_at: Set(None),
        paid_by: Set(None),
        paid_at: Set(None),
    }
}

/// Draws a contract up from the awarded bid, once its notice stands without an objection, and signs it for the programme.
pub async fn draw(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project_id: ProjectId,
) -> Result<contract::Model, Problem> {
    let live = tender::Entity::find()
        .filter(tender::Column::ProjectId.eq(project_id))
        .filter(tender::Column::State.eq(TenderState::Live))
        .one(txn)
        .await?;
    let Entered { project, tender, .. } = enter_as_staff(txn, actor, live.ok_or(Code::NotFound)?.id).await?;
    if project.state != ProjectState::Awarding {
        return Err(Code::ProjectState.into());
    }
    let award = standing_award(txn, tender.id).await?.ok_or(Code::ProjectState)?;
    let now = state.clock.now();
    clear(txn, award.notice_id, now).await?;
    let bid = bid::Entity::find_by_id(award.bid_id).one(txn).await?.filter(|bid| bid.state == BidState::Valid);
    let document = bid.and_then(|bid| bid.document).ok_or(Code::Internal)?;
    let bid: Bid = serde_json::from_str(&document).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let id: ContractId = ids::ordered(&state.clock);
    let row = contract::ActiveModel {
        id: Set(id),
        project_id: Set(project.id),
        award_id: Set(award.id),
        organisation_id: Set(bid.organisation_id),
        price_fen: Set(bid.price_fen),
        committed_fen: Set(bid.price_fen),
        state: Set(ContractState::Drawn),
        versions: Set(0),
        drawn_by: Set(actor.user_id),
        drawn_at: Set(now),
        staff_signed_by: Set(Some(actor.user_id)),
        staff_signed_at: Set(Some(now)),
        organisation_signed_by: Set(None),
        organisation_signed_at: Set(None),
        signed_at: Set(None),
        closed_at: Set(None),
    };
    let there = OnConflict::new().do_nothing().to_owned();
    if contract::Entity::insert(row).on_conflict(there).exec_without_returning(txn).await? == 0 {
        return Err(Code::ContractState.into());
    }
    let milestones = bid.milestones.iter().map(|term| planned(state, id, term));
    milestone::Entity::insert_many(milestones).exec_without_returning(txn).await?;
    log(state, txn, actor, "contract.draw", ("contract", id.0), &project, json!({ "price_fen": bid.price_fen }))
        .await?;
    let message = Message {
        kind: "contract.drawn",
        title: format!("合同待签署：{}", project.title),
        body: format!("合同金额{}，请机构签署。", yuan(bid.price_fen)),
        target: Some(("project", project.id.0)),
        dedupe_key: format!("contract:drawn:{id}"),
        template: Template::Project,
    };
    let people = organisations::people_of(txn, bid.organisation_id).await?;
    notifications::tell_all(state, txn, &people, &message).await?;
    contract::Entity::find_by_id(id).one(txn).await?.ok_or_else(|| Code::Internal.into())
}

/// 409 `award_not_clear` while people may object, or an objection stands.
async fn clear(
    txn: &DatabaseTransaction,
    notice: Option<entities::ids::NoticeId>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let notice = notice.ok_or(Code::Internal)?;
    match notices::standing(txn, notice, now).await? {
        Standing::Clear => Ok(()),
        _ => Err(Code::AwardNotClear.into()),
    }
}

/// Signs for the organisation, as somebody else than who drew it up: the contract takes effect and the money moves.
pub async fn sign(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    id: ContractId,
) -> Result<contract::Model, Problem> {
    let Held { project, contract } = lock_contract(txn, id).await?;
    act_for(txn, actor, &project, contract.organisation_id).await?;
    if contract.state != ContractState::Drawn {
        return Err(Code::ContractState.into());
    }
    if contract.staff_signed_by == Some(actor.user_id) {
        return Err(Code::OwnAct.into());
    }
    let now = state.clock.now();
    // The implementer takes the step, so that it is the implementer first.
    projects::assign(state, txn, actor, &project, Part::Implementer, contract.organisation_id).await?;
    let project = projects::step(state, txn, actor, &project, ProjectAction::Contract, None).await?;
    let mut signed = contract.into_active_model();
    signed.state = Set(ContractState::Signed);
    signed.versions = Set(1);
    (signed.organisation_signed_by, signed.organisation_signed_at) = (Set(Some(actor.user_id)), Set(Some(now)));
    signed.signed_at = Set(Some(now));
    let signed = signed.update(txn).await?;
    first_version(state, txn, actor, &signed, now).await?;
    let ended = tender::Entity::update_many()
        .col_expr(tender::Column::State, TenderState::Done.into())
        .filter(tender::Column::ProjectId.eq(project.id))
        .filter(tender::Column::State.eq(TenderState::Live))
        .exec_with_returning(txn)
        .await?;
    let ceiling = ended.first().map(|tender| tender.ceiling_fen).ok_or(Code::Internal)?;
    commit(state, txn, actor, &project, &signed, ceiling, now).await?;
    log(state, txn, actor, "contract.sign", ("contract", id.0), &project, json!({ "price_fen": signed.price_fen }))
        .await?;
    publish(state, txn, &project, &signed).await?;
    Ok(signed)
}

/// What was signed, as it stays. The trigger on it compares the milestones with the price.
async fn first_version(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    contract: &contract::Model,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let terms: Vec<Term> = milestones_of(txn, contract.id).await?.iter().map(term).collect();
    let row = contract_version::ActiveModel {
        id: Set(ids::ordered(&state.clock)),
        contract_id: Set(contract.id),
        version: Set(Some(1)),
        side: Set(ContractSide::Staff),
        price_fen: Set(contract.price_fen),
        milestones: Set(to_json(&terms)?),
        reason: Set("签订".to_owned()),
        state: Set(VersionState::Accepted),
        proposed_by: Set(contract.drawn_by),
        proposed_at: Set(contract.drawn_at),
        decided_by: Set(Some(actor.user_id)),
        decided_at: Set(Some(now)),
    };
    contract_version::Entity::insert(row).exec_without_returning(txn).await?;
    Ok(())
}

/// The price moves from the project's fund to the contract's, the rest of what was committed back to the programme.
async fn commit(
    state: &AppState,
    txn: &DatabaseTransaction,
    actor: &Actor,
    project: &project::Model,
    contract: &contract::Model,
    ceiling_fen: i64,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let programme = programme_of(txn, project).await?;
    let from = Party::Fund(project.id.0);
    let move_to = |to, amount| Transfer { from, to, amount, expires_at: None };
    let mut transfers = vec![move_to(Party::Fund(contract.id.0), contract.price_fen)];
    let rest = ceiling_fen - contract.price_fen;
    if rest > 0 {
        transfers.push(move_to(Party::Fund(programme.id.0), rest));
    }
    let what = Transaction {
        id: ids::named_at(&format!("contract:{}", contract.id), now),
        community_id: programme.place_id,
        kind: TransactionKind::Budget,
        transfers,
        dedupe_key: Some(format!("contract:{}", contract.id)),
        reason: "签订合同",
        actor: Some(actor.user_id),
        source: ("contract", contract.id.0),
        at: now,
    };
    ledger::record(state, txn, &what).await?;
    Ok(())
}

async fn publish(
    state: &AppState,
    txn: &DatabaseTransaction,
    project: &project::Model,
    contract: &contract::Model,
) -> Result<(), Problem> {
    let name = name_of(txn, contract.organisation_id).await?;
    let lines: Vec<String> = milestones_of(txn, contract.id).await?.iter().map(line).collect();
    let notice = Notice {
        community_id: project.community_id,
        kind: "contract.signed",
        title: format!("合同公告：{}", project.title),
        body: format!("承接机构：{name}。\n合同金额：{}。\n{}", yuan(contract.price_fen), lines.join("\n")),
        subject: Some(("contract", contract.id.0)),
        ..Notice::default()
    };
    notices::publish(state, txn, notice).await?;
    Ok(())
}

/// A milestone as notices show it.
pub fn line(row: &milestone::Model) -> String {
    format!("{}. {}，{}前，{}", row.seq, row.title, when(row.due_at), yuan(row.amount_fen))
}

/// 403 unless somebody speaks for this side of a contract.
pub async fn require_side(
    txn: &DatabaseTransaction,
    actor: &Actor,
    held: &Held,
    side: ContractSide,
) -> Result<(), Problem> {
    match side {
        ContractSide::Staff => projects::require(txn, actor, &held.project, Who::Programme).await,
        ContractSide::Organisation => act_for(txn, actor, &held.project, held.contract.organisation_id).await,
    }
}
