use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ContractId, ContractVersionId, MilestoneId, OrganisationId, ProjectId};
use entities::projects::project;
use entities::tenders::{
    ContractSide, ContractState, MilestoneState, VersionState, contract, contract_version, milestone,
};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::names;
use crate::identity::Actor;
use crate::ledger::{self, TransactionKind};
use crate::platform::code::Code;
use crate::platform::http::{
    Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text,
};
use crate::platform::state::AppState;
use crate::tenders::domain::Term;
use crate::tenders::service::changes::{self, Proposal};
use crate::tenders::service::contracts::{self, contract_of, milestones_of};
use crate::tenders::service::{money, programme_of};

/// 100 million yuan: more is a slip of the pen.
const MAX_FEN: i64 = 10_000_000_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(draw).service(read).service(books).service(sign).service(versions).service(propose).service(decide);
}

/// A part of a contract, paid when it is accepted.
#[derive(Serialize, ToSchema)]
struct MilestoneView {
    id: MilestoneId,
    seq: i64,
    title: String,
    due_at: DateTime<Utc>,
    amount_fen: i64,
    state: MilestoneState,
    accepted_at: Option<DateTime<Utc>>,
    paid_at: Option<DateTime<Utc>>,
}

impl From<milestone::Model> for MilestoneView {
    fn from(row: milestone::Model) -> Self {
        let milestone::Model { id, seq, title, due_at, amount_fen, state, accepted_at, paid_at, .. } = row;
        Self { id, seq, title, due_at, amount_fen, state, accepted_at, paid_at }
    }
}

/// What an organisation does for a project, and for how much. Everybody signed in reads it.
#[derive(Serialize, ToSchema)]
struct ContractView {
    id: ContractId,
    project_id: ProjectId,
    organisation_id: OrganisationId,
    organisation: String,
    state: ContractState,
    price_fen: i64,
    /// What stands behind it; the price never goes above it.
    committed_fen: i64,
    /// What was paid so far.
    paid_fen: i64,
    /// What its fund holds.
    balance_fen: i64,
    /// How many versions took effect.
    versions: i64,
    drawn_at: DateTime<Utc>,
    signed_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    /// Those that a change took out are `dropped`.
    milestones: Vec<MilestoneView>,
}

async fn view(state: &AppState, row: contract::Model) -> Result<ContractView, Problem> {
    let db = state.db.read();
    let milestones = milestones_of(db, row.id).await?;
    let project = project::Entity::find_by_id(row.project_id).one(db).await?.ok_or(Code::Internal)?;
    let mut names: HashMap<_, _> = names(state, [row.organisation_id]).await?;
    Ok(ContractView {
        organisation: names.remove(&row.organisation_id).unwrap_or_default(),
        balance_fen: money::balance(db, &project, &row).await?,
        paid_fen: milestones.iter().filter(|row| row.paid_at.is_some()).map(|row| row.amount_fen).sum(),
        id: row.id,
        project_id: row.project_id,
        organisation_id: row.organisation_id,
        state: row.state,
        price_fen: row.price_fen,
        committed_fen: row.committed_fen,
        versions: row.versions,
        drawn_at: row.drawn_at,
        signed_at: row.signed_at,
        closed_at: row.closed_at,
        milestones: milestones.into_iter().map(MilestoneView::from).collect(),
    })
}

/// Names the contract that an answer is about.
#[derive(Serialize, ToSchema)]
struct ContractKey {
    id: ContractId,
}

/// Draw a contract up from the awarded bid and sign it for the programme, once the award's notice stands without an objection
///
/// 409 `award_not_clear`, `contract_state`, `project_state`.
#[utoipa::path(tag = "contracts", responses((status = 201, body = ContractKey)))]
#[post("/projects/{id}/contract")]
async fn draw(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = contracts::draw(&state, txn, &actor, *id).await?;
        Ok(ContractKey { id: row.id })
    })
    .await
}

async fn find(state: &AppState, project: ProjectId) -> Result<contract::Model, Problem> {
    contract_of(state.db.read(), project).await?.ok_or_else(|| Code::NotFound.into())
}

/// The contract of a project, with its milestones and what was paid
#[utoipa::path(tag = "contracts", responses((status = 200, body = ContractView)))]
#[get("/projects/{id}/contract")]
async fn read(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ProjectId>,
) -> Result<web::Json<ContractView>, Problem> {
    let row = find(&state, *id).await?;
    view(&state, row).await.map(web::Json)
}

/// A movement of a contract's money.
#[derive(Serialize, ToSchema)]
struct BookView {
    at: DateTime<Utc>,
    #[schema(value_type = String)]
    kind: TransactionKind,
    reason: String,
    /// What came in; below zero for what went out.
    amount_fen: i64,
    /// The milestone that was paid, if one was.
    milestone_id: Option<MilestoneId>,
}

/// The books of a contract: what came into its fund and what was paid out of it
#[utoipa::path(tag = "contracts", params(PageParams), responses((status = 200, body = Page<BookView>)))]
#[get("/projects/{id}/contract/books")]
async fn books(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<BookView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let contract = find(&state, *id).await?;
    let db = state.db.read();
    let project = project::Entity::find_by_id(*id).one(db).await?.ok_or(Code::NotFound)?;
    let place = programme_of(db, &project).await?.place_id;
    let rows = ledger::fund_entries(db, place, contract.id.0, &paging).await?;
    let view = |entry: ledger::FundEntry| BookView {
        at: entry.transaction.created_at,
        kind: entry.transaction.kind,
        milestone_id: entry
            .transaction
            .source_id
            .filter(|_| entry.transaction.source_kind == "milestone")
            .map(MilestoneId),
        reason: entry.transaction.reason,
        amount_fen: entry.amount,
    };
    Ok(web::Json(paging.page(&state.keys, rows, |entry| entry.transaction.id.0, view)))
}

/// Sign a contract for the organisation: it takes effect, its money is set apart, the rest returns to the programme
///
/// For somebody of the organisation other than who drew it up. 409 `contract_state`, `parties_not_apart`; 403 `own_act`.
#[utoipa::path(tag = "contracts", responses((status = 200, body = ContractKey)))]
#[post("/contracts/{id}/signature")]
async fn sign(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ContractId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = contracts::sign(&state, txn, &actor, *id).await?;
        Ok(ContractKey { id: row.id })
    })
    .await
}

/// What a contract has said, or is proposed to say.
#[derive(Serialize, ToSchema)]
struct VersionView {
    id: ContractVersionId,
    /// 1 for the signing; absent until it takes effect.
    version: Option<i64>,
    state: VersionState,
    /// Who proposed it.
    side: ContractSide,
    price_fen: i64,
    /// `[{seq, title, due_at, amount_fen}]`
    milestones: Value,
    reason: String,
    proposed_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
}

impl From<contract_version::Model> for VersionView {
    fn from(row: contract_version::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            state: row.state,
            side: row.side,
            price_fen: row.price_fen,
            milestones: row.milestones,
            reason: row.reason,
            proposed_at: row.proposed_at,
            decided_at: row.decided_at,
        }
    }
}

/// What a contract has said and what was proposed, newest first
#[utoipa::path(tag = "contracts", params(PageParams), responses((status = 200, body = Page<VersionView>)))]
#[get("/contracts/{id}/versions")]
async fn versions(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ContractId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<VersionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    contract::Entity::find_by_id(*id).one(state.db.read()).await?.ok_or(Code::NotFound)?;
    let own = contract_version::Entity::find().filter(contract_version::Column::ContractId.eq(*id));
    let rows = paging.apply(own, contract_version::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, VersionView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TermInput {
    /// The milestone's number; a new one has a number not used before.
    #[garde(range(min = 1, max = 1000))]
    seq: i64,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(skip)]
    due_at: DateTime<Utc>,
    #[garde(range(min = 1, max = MAX_FEN))]
    amount_fen: i64,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeInput {
    /// For which side one proposes.
    #[garde(skip)]
    side: ContractSide,
    #[garde(range(min = 1, max = MAX_FEN))]
    price_fen: i64,
    /// All milestones as they are to be; those left out are dropped. What was handed in or accepted stays as it is.
    #[garde(length(min = 1, max = 20), dive)]
    milestones: Vec<TermInput>,
    #[garde(custom(text::paragraph(500)))]
    reason: String,
}

/// Propose a change of a contract for one side; the other accepts or refuses it
///
/// 409 `contract_state` while another is proposed, 422 by field.
#[utoipa::path(tag = "contracts", request_body = ChangeInput, responses((status = 201, body = VersionView)))]
#[post("/contracts/{id}/changes")]
async fn propose(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ContractId>,
    request: Command<ChangeInput>,
) -> Result<Outcome, Problem> {
    let ChangeInput { side, price_fen, milestones, reason } = &request.input;
    let term = |input: &TermInput| Term {
        seq: input.seq,
        title: input.title.trim().to_owned(),
        due_at: input.due_at,
        amount_fen: input.amount_fen,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let milestones = milestones.iter().map(term).collect();
        let proposal = Proposal { side: *side, price_fen: *price_fen, milestones, reason };
        changes::propose(&state, txn, &actor, *id, proposal).await.map(VersionView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Answer {
    #[garde(skip)]
    accept: bool,
}

/// Accept or refuse a change, for the other side: accepted, it is a version of the contract, and a notice
#[utoipa::path(tag = "contracts", request_body = Answer, responses((status = 200, body = VersionView)))]
#[post("/contract-versions/{id}/decision")]
async fn decide(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ContractVersionId>,
    request: Command<Answer>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        changes::decide(&state, txn, &actor, *id, request.input.accept).await.map(VersionView::from)
    })
    .await
}
