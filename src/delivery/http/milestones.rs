use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::delivery::{Decision, FileOwner, submission};
use entities::ids::{FileId, MilestoneId, ProjectId};
use entities::projects::project;
use entities::tenders::{MilestoneState, contract, milestone};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::reports::{MAX_FILES, taken};
use crate::delivery::service::{self, milestones};
use crate::files::Links;
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::http::{Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(overdue).service(submit).service(opinion).service(decide).service(pay);
}

/// Evidence and what became of it.
#[derive(Serialize, ToSchema)]
struct SubmissionView {
    round: i64,
    body: String,
    pictures: Vec<Links>,
    submitted_at: DateTime<Utc>,
    /// The supervisor's.
    statement: Option<String>,
    supports: Option<bool>,
    /// Absent until staff have decided.
    decision: Option<Decision>,
    reason: Option<String>,
    decided_at: Option<DateTime<Utc>>,
}

/// A part of a contract that is paid once it is accepted.
#[derive(Serialize, ToSchema)]
struct MilestoneView {
    id: MilestoneId,
    seq: i64,
    title: String,
    due_at: DateTime<Utc>,
    amount_fen: i64,
    state: MilestoneState,
    /// Whether its day is over and it is not accepted.
    overdue: bool,
    paid_at: Option<DateTime<Utc>>,
    /// For those in the project, in their order.
    submissions: Vec<SubmissionView>,
}

fn view(now: DateTime<Utc>, row: milestone::Model, submissions: Vec<SubmissionView>) -> MilestoneView {
    let milestone::Model { id, seq, title, due_at, amount_fen, state, paid_at, .. } = row;
    let late = due_at <= now && !matches!(state, MilestoneState::Accepted | MilestoneState::Dropped);
    MilestoneView { id, seq, title, due_at, amount_fen, state, overdue: late, paid_at, submissions }
}

/// A project's milestones.
#[derive(Serialize, ToSchema)]
struct Milestones {
    /// In their order; a contract has few.
    items: Vec<MilestoneView>,
}

/// The milestones of a project: what is accepted and paid, for everybody; the evidence for those in it
#[utoipa::path(tag = "delivery", responses((status = 200, body = Milestones)))]
#[get("/projects/{id}/milestones")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
) -> Result<web::Json<Milestones>, Problem> {
    let read = state.db.read();
    let project = service::find(read, *id).await?;
    let inside = service::standing(read, &actor, &project).await?.is_inside();
    let Some(contract) = contract::Entity::find().filter(contract::Column::ProjectId.eq(*id)).one(read).await? else {
        return Ok(web::Json(Milestones { items: Vec::new() }));
    };
    let rows = milestone::Entity::find()
        .filter(milestone::Column::ContractId.eq(contract.id))
        .order_by_asc(milestone::Column::Seq)
        .all(read)
        .await?;
    let mut submissions: HashMap<MilestoneId, Vec<SubmissionView>> = HashMap::new();
    if inside {
        let handed_in = submission::Entity::find()
            .filter(submission::Column::MilestoneId.is_in(rows.iter().map(|row| row.id)))
            .order_by_asc(submission::Column::Round)
            .all(read)
            .await?;
        let ids: Vec<Uuid> = handed_in.iter().map(|row| row.id.0).collect();
        let mut pictures = service::pictures(&state, read, FileOwner::Evidence, &ids, true).await?;
        for row in handed_in {
            let pictures = taken(&mut pictures, row.id.0);
            submissions.entry(row.milestone_id).or_default().push(SubmissionView {
                round: row.round,
                body: row.body,
                pictures,
                submitted_at: row.submitted_at,
                statement: row.statement,
                supports: row.supports,
                decision: row.decision,
                reason: row.reason,
                decided_at: row.decided_at,
            });
        }
    }
    let now = state.clock.now();
    let items = rows.into_iter().map(|row| {
        let own = submissions.remove(&row.id).unwrap_or_default();
        view(now, row, own)
    });
    Ok(web::Json(Milestones { items: items.collect() }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OverdueParams {
    place_id: entities::ids::PlaceId,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// A milestone whose day is over.
#[derive(Serialize, ToSchema)]
struct OverdueMilestone {
    id: MilestoneId,
    project_id: Option<ProjectId>,
    title: String,
    due_at: DateTime<Utc>,
    state: MilestoneState,
}

/// Milestones of running projects whose day is over and that are not accepted; for staff who manage projects at the place
#[utoipa::path(tag = "delivery", params(OverdueParams), responses((status = 200, body = Page<OverdueMilestone>)))]
#[get("/milestones/overdue")]
async fn overdue(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<OverdueParams>,
) -> Result<web::Json<Page<OverdueMilestone>>, Problem> {
    let read = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(read, params.place_id, "?place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    let mut of_place = contract::Entity::find()
        .select_only()
        .column(contract::Column::Id)
        .join(
            sea_orm::JoinType::InnerJoin,
            contract::Entity::belongs_to(project::Entity)
                .from(contract::Column::ProjectId)
                .to(project::Column::Id)
                .into(),
        )
        .filter(project::Column::State.eq(entities::projects::ProjectState::Running))
        .filter(places::within(project::Column::PlacePath, &place.path));
    let late = milestone::Entity::find()
        .filter(milestone::Column::ContractId.in_subquery(sea_orm::QueryTrait::query(&mut of_place).to_owned()))
        .filter(milestone::Column::DueAt.lte(state.clock.now()))
        .filter(milestone::Column::State.is_not_in([MilestoneState::Accepted, MilestoneState::Dropped]));
    let rows = paging.apply(late, milestone::Column::Id).all(read).await?;
    let contracts = contract::Entity::find()
        .filter(contract::Column::Id.is_in(rows.iter().map(|row| row.contract_id)))
        .all(read)
        .await?;
    let project = |id| contracts.iter().find(|row| row.id == id).map(|row| row.project_id);
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| OverdueMilestone {
            id: row.id,
            project_id: project(row.contract_id),
            title: row.title,
            due_at: row.due_at,
            state: row.state,
        },
    )))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Evidence {
    #[garde(custom(text::paragraph(5000)))]
    body: String,
    #[serde(default)]
    #[garde(length(max = MAX_FILES))]
    file_ids: Vec<FileId>,
}

/// Hand evidence for a milestone in; for the implementer
#[utoipa::path(tag = "delivery", request_body = Evidence, responses((status = 200, body = MilestoneView)))]
#[post("/milestones/{id}/evidence")]
async fn submit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MilestoneId>,
    request: Command<Evidence>,
) -> Result<Outcome, Problem> {
    let Evidence { body, file_ids } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = milestones::submit(&state, txn, &actor, *id, body, file_ids).await?;
        Ok(view(state.clock.now(), row, Vec::new()))
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Statement {
    #[garde(custom(text::paragraph(2000)))]
    statement: String,
    /// Whether the supervisor would accept it.
    #[garde(skip)]
    supports: bool,
}

/// State what the supervisor thinks of the evidence; staff decide after that
#[utoipa::path(tag = "delivery", request_body = Statement, responses((status = 200, body = MilestoneView)))]
#[post("/milestones/{id}/statement")]
async fn opinion(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MilestoneId>,
    request: Command<Statement>,
) -> Result<Outcome, Problem> {
    let Statement { statement, supports } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = milestones::state_opinion(&state, txn, &actor, *id, (statement, *supports)).await?;
        Ok(view(state.clock.now(), row, Vec::new()))
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionInput {
    #[garde(skip)]
    decision: Decision,
    /// A return needs one.
    #[garde(custom(text::optional_line(500)))]
    reason: Option<String>,
}

/// Accept a milestone or return its evidence; for the programme's staff, after the supervisor's statement
#[utoipa::path(tag = "delivery", request_body = DecisionInput, responses((status = 200, body = MilestoneView)))]
#[post("/milestones/{id}/decision")]
async fn decide(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MilestoneId>,
    request: Command<DecisionInput>,
) -> Result<Outcome, Problem> {
    let DecisionInput { decision, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = milestones::decide(&state, txn, &actor, *id, (*decision, reason.as_deref())).await?;
        Ok(view(state.clock.now(), row, Vec::new()))
    })
    .await
}

/// Pay the tranche of an accepted milestone, once; for another officer of the programme than the one who accepted it
#[utoipa::path(tag = "delivery", request_body = Nothing, responses((status = 200, body = MilestoneView)))]
#[post("/milestones/{id}/payment")]
async fn pay(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MilestoneId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        milestones::pay(&state, txn, &actor, *id).await.map(|row| view(state.clock.now(), row, Vec::new()))
    })
    .await
}
