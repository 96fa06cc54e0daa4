use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ProgrammeId, ProjectId, TenderAmendmentId, TenderId};
use entities::projects::{ProjectState, project};
use entities::tenders::{TenderState, amendment, criterion, tender};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::projects;
use crate::projects::Who;
use crate::tenders::service::find;
use crate::tenders::service::tenders::{self, NewTender};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(create).service(read).service(amend).service(fail);
}

/// Where a tender stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// Bids are taken.
    Open,
    /// The time is over; the bids are sealed still.
    Closed,
    /// The bids are open and are scored, or one is awarded.
    Opened,
    /// It ended without an award.
    Failed,
    /// It led to a contract.
    Done,
    /// The project was called off.
    Cancelled,
}

/// A project put out to tender, with nothing of its bids.
#[derive(Serialize, ToSchema)]
struct TenderView {
    id: TenderId,
    project_id: ProjectId,
    programme_id: ProgrammeId,
    phase: Phase,
    requirements: String,
    /// The highest price: what is committed to the project.
    ceiling_fen: i64,
    /// Whether only registered organisations may bid.
    registered_only: bool,
    /// Bids come in before it.
    closes_at: DateTime<Utc>,
    /// Points out of 100 for the price.
    price_weight: i64,
    /// So many scorers at least must have scored every bid.
    min_scorers: i64,
    criteria: Vec<CriterionView>,
    amendments: Vec<AmendmentView>,
    /// Whether one person has asked for the opening, and another can confirm it.
    opening_asked: bool,
    opened_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// What bids are judged by besides their price.
#[derive(Serialize, ToSchema)]
struct CriterionView {
    seq: i64,
    title: String,
    /// Points out of 100.
    weight: i64,
    /// What a scorer gives at most.
    max_points: i64,
}

/// What was added before the closing.
#[derive(Serialize, ToSchema)]
struct AmendmentView {
    id: TenderAmendmentId,
    seq: i64,
    body: String,
    /// The closing since then.
    closes_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl From<amendment::Model> for AmendmentView {
    fn from(row: amendment::Model) -> Self {
        let amendment::Model { id, seq, body, closes_at, created_at, .. } = row;
        Self { id, seq, body, closes_at, created_at }
    }
}

async fn views(state: &AppState, rows: Vec<tender::Model>) -> Result<Vec<TenderView>, Problem> {
    let db = state.db.read();
    let ids: Vec<TenderId> = rows.iter().map(|row| row.id).collect();
    let criteria = criterion::Entity::find().filter(criterion::Column::TenderId.is_in(ids.iter().copied()));
    let criteria = criteria.order_by_asc(criterion::Column::Seq).all(db).await?;
    let amendments = amendment::Entity::find().filter(amendment::Column::TenderId.is_in(ids));
    let amendments = amendments.order_by_asc(amendment::Column::Seq).all(db).await?;
    let projects = project::Entity::find().filter(project::Column::Id.is_in(rows.iter().map(|row| row.project_id)));
    let states: HashMap<ProjectId, ProjectState> =
        projects.all(db).await?.into_iter().map(|row| (row.id, row.state)).collect();
    let now = state.clock.now();
    let view = |row: tender::Model| TenderView {
        phase: match (row.state, states.get(&row.project_id)) {
            (TenderState::Failed, _) => Phase::Failed,
            (TenderState::Done, _) => Phase::Done,
            (TenderState::Live, Some(ProjectState::Cancelled)) => Phase::Cancelled,
            (TenderState::Live, _) if row.opened_at.is_some() => Phase::Opened,
            (TenderState::Live, _) if row.closes_at <= now => Phase::Closed,
            (TenderState::Live, _) => Phase::Open,
        },
        criteria: criteria
            .iter()
            .filter(|criterion| criterion.tender_id == row.id)
            .map(|criterion| CriterionView {
                seq: criterion.seq,
                title: criterion.title.clone(),
                weight: criterion.weight,
                max_points: criterion.max_points,
            })
            .collect(),
        amendments: amendments.iter().filter(|own| own.tender_id == row.id).cloned().map(AmendmentView::from).collect(),
        id: row.id,
        project_id: row.project_id,
        programme_id: row.programme_id,
        requirements: row.requirements,
        ceiling_fen: row.ceiling_fen,
        registered_only: row.registered_only,
        closes_at: row.closes_at,
        price_weight: row.price_weight,
        min_scorers: row.min_scorers,
        opening_asked: row.opening_asked_by.is_some(),
        opened_at: row.opened_at,
        created_at: row.created_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// The view of a tender as it was when the transaction ended.
async fn view_of(state: &AppState, id: TenderId) -> Result<TenderView, Problem> {
    let view = views(state, vec![find(state.db.read(), id).await?]).await?.pop();
    view.ok_or_else(|| Code::Internal.into())
}

/// Names the tender that an answer is about: what is stored with the key never holds more of it.
#[derive(Serialize, ToSchema)]
pub(super) struct TenderKey {
    pub id: TenderId,
}

/// The tenders of a project
#[utoipa::path(tag = "tenders", params(PageParams), responses((status = 200, body = Page<TenderView>)))]
#[get("/projects/{id}/tenders")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<TenderView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let here = tender::Entity::find().filter(tender::Column::ProjectId.eq(*id));
    let rows = paging.apply(here, tender::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, items).await?, next_cursor }))
}

/// One tender
#[utoipa::path(tag = "tenders", responses((status = 200, body = TenderView)))]
#[get("/tenders/{id}")]
async fn read(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<TenderId>,
) -> Result<web::Json<TenderView>, Problem> {
    view_of(&state, *id).await.map(web::Json)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCriterion {
    #[garde(custom(text::line(30)))]
    title: String,
    #[garde(range(min = 1, max = 100))]
    weight: i64,
    #[garde(range(min = 1, max = 100))]
    max_points: i64,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TenderInput {
    #[garde(custom(text::paragraph(4000)))]
    requirements: String,
    /// 24 hours to 180 days from now.
    #[garde(skip)]
    closes_at: DateTime<Utc>,
    /// Whether only registered organisations may bid; they only, if not said.
    #[serde(default = "yes")]
    #[garde(skip)]
    registered_only: bool,
    #[garde(range(min = 0, max = 99))]
    price_weight: i64,
    #[garde(range(min = 1, max = 20))]
    min_scorers: i64,
    /// Their weights and the price's make 100.
    #[garde(length(min = 1, max = 20), dive)]
    criteria: Vec<NewCriterion>,
}

const fn yes() -> bool {
    true
}

/// Put a selected project out to tender: a notice says so
///
/// For staff of its programme. 409 `project_state`, `tender_exists`.
#[utoipa::path(tag = "tenders", request_body = TenderInput, responses((status = 201, body = TenderKey)))]
#[post("/projects/{id}/tenders")]
async fn create(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<TenderInput>,
) -> Result<Outcome, Problem> {
    let input = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let new = NewTender {
            requirements: &input.requirements,
            closes_at: input.closes_at,
            registered_only: input.registered_only,
            price_weight: input.price_weight,
            min_scorers: input.min_scorers,
            criteria: input
                .criteria
                .iter()
                .map(|criterion| (criterion.title.as_str(), criterion.weight, criterion.max_points))
                .collect(),
        };
        let row = tenders::create(&state, txn, &actor, *id, new).await?;
        Ok(TenderKey { id: row.id })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct AmendmentInput {
    #[garde(custom(text::paragraph(2000)))]
    body: String,
    /// A later closing, if it is put off.
    #[garde(skip)]
    closes_at: Option<DateTime<Utc>>,
}

/// Add to a tender before its closing: a notice, and everybody who may bid is told
///
/// What was published stays as it was. Bids can be replaced until the closing. 409 `tender_closed`.
#[utoipa::path(tag = "tenders", request_body = AmendmentInput, responses((status = 201, body = AmendmentView)))]
#[post("/tenders/{id}/amendments")]
async fn amend(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<AmendmentInput>,
) -> Result<Outcome, Problem> {
    let AmendmentInput { body, closes_at } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        tenders::amend(&state, txn, &actor, *id, body, *closes_at).await.map(AmendmentView::from)
    })
    .await
}

/// End an opened tender that has no valid bid left: the project can be put out again
///
/// 409 `tender_not_opened`, `valid_bids`.
#[utoipa::path(tag = "tenders", request_body = Reason, responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/failure")]
async fn fail(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = tenders::fail(&state, txn, &actor, *id, &request.input.reason).await?;
        Ok(TenderKey { id: row.id })
    })
    .await
}

/// Whether somebody runs the programme behind a tender.
pub(super) async fn runs(state: &AppState, actor: &Actor, tender: &tender::Model) -> Result<bool, Problem> {
    let db = state.db.read();
    let project = project::Entity::find_by_id(tender.project_id).one(db).await?.ok_or(Code::Internal)?;
    match projects::require(db, actor, &project, Who::Programme).await {
        Ok(()) => Ok(true),
        Err(problem) if problem.code() == Code::Forbidden => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// Why something is done.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    #[garde(custom(text::paragraph(500)))]
    pub reason: String,
}
