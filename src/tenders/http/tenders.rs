use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ProgrammeId, ProjectId, TenderAmendmentId, TenderId, TenderQuestionId, UserId};
use entities::projects::{ProjectState, project};
use entities::tenders::{TenderState, amendment, criterion, panel, question, tender};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{
    Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text,
};
use crate::platform::state::AppState;
use crate::projects;
use crate::projects::Who;
use crate::tenders::service::tenders::{self, NewTender};
use crate::tenders::service::{find, opening, scoring};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(amend)
        .service(questions)
        .service(ask)
        .service(answer_question);
    config
        .service(fail)
        .service(ask_opening)
        .service(confirm_opening)
        .service(name_panel)
        .service(panel_of)
        .service(declare);
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
struct TenderKey {
    id: TenderId,
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

/// A question and its answer; who asked is not shown.
#[derive(Serialize, ToSchema)]
struct QuestionView {
    id: TenderQuestionId,
    body: String,
    asked_at: DateTime<Utc>,
    answer: Option<String>,
    answered_at: Option<DateTime<Utc>>,
}

impl From<question::Model> for QuestionView {
    fn from(row: question::Model) -> Self {
        let question::Model { id, body, asked_at, answer, answered_at, .. } = row;
        Self { id, body, asked_at, answer, answered_at }
    }
}

/// What was asked about a tender, with the answers; those without an answer are shown to staff of the programme only
#[utoipa::path(tag = "tenders", params(PageParams), responses((status = 200, body = Page<QuestionView>)))]
#[get("/tenders/{id}/questions")]
async fn questions(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<QuestionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let tender = find(state.db.read(), *id).await?;
    let mut query = question::Entity::find().filter(question::Column::TenderId.eq(*id));
    if !runs(&state, &actor, &tender).await? {
        query = query.filter(question::Column::Answer.is_not_null());
    }
    let rows = paging.apply(query, question::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, QuestionView::from)))
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

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    #[garde(custom(text::paragraph(1000)))]
    body: String,
}

/// Ask something about an open tender, for an organisation
#[utoipa::path(tag = "tenders", request_body = Words, responses((status = 201, body = QuestionView)))]
#[post("/tenders/{id}/questions")]
async fn ask(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Words>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        tenders::ask(&state, txn, &actor, *id, &request.input.body).await.map(QuestionView::from)
    })
    .await
}

/// Answer a question, for everybody to read
#[utoipa::path(tag = "tenders", request_body = Words, responses((status = 200, body = QuestionView)))]
#[post("/tender-questions/{id}/answer")]
async fn answer_question(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderQuestionId>,
    request: Command<Words>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        tenders::answer(&state, txn, &actor, *id, &request.input.body).await.map(QuestionView::from)
    })
    .await
}

/// Why something is done.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    #[garde(custom(text::paragraph(500)))]
    pub reason: String,
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

/// Ask for the opening of the bids, after the closing; a second person confirms it
///
/// For staff of the programme who belong to no bidder. 409 `tender_not_closed`, `tender_opened`; 403 `conflict_of_interest`.
#[utoipa::path(tag = "tenders", responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/opening")]
async fn ask_opening(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = opening::ask(&state, txn, &actor, *id).await?;
        Ok(TenderKey { id: row.id })
    })
    .await
}

/// Open the bids, as the second person: the record goes on the board
///
/// 403 `own_act` for who asked, `conflict_of_interest`; 409 `opening_not_asked`, `tender_not_closed`, `tender_opened`.
#[utoipa::path(tag = "tenders", responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/opening/confirmation")]
async fn confirm_opening(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = opening::open(&state, txn, &actor, *id).await?;
        Ok(TenderKey { id: row.id })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PanelInput {
    #[garde(length(min = 1, max = 20))]
    user_ids: Vec<UserId>,
}

/// Name people who are to score the bids
#[utoipa::path(tag = "tenders", request_body = PanelInput, responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/panel")]
async fn name_panel(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<PanelInput>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        scoring::name_panel(&state, txn, &actor, *id, &request.input.user_ids).await?;
        Ok(TenderKey { id: *id })
    })
    .await
}

/// Somebody who scores.
#[derive(Serialize, ToSchema)]
struct SeatView {
    user_id: UserId,
    added_at: DateTime<Utc>,
    /// When the person declared a conflict: their scores do not count.
    conflict_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoParams {}

/// Who scores; for staff of the programme
#[utoipa::path(tag = "tenders", responses((status = 200, body = Vec<SeatView>)))]
#[get("/tenders/{id}/panel")]
async fn panel_of(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    _: Params<NoParams>,
) -> Result<web::Json<Vec<SeatView>>, Problem> {
    let tender = find(state.db.read(), *id).await?;
    if !runs(&state, &actor, &tender).await? {
        return Err(Code::Forbidden.into());
    }
    let rows = panel::Entity::find()
        .filter(panel::Column::TenderId.eq(*id))
        .order_by_asc(panel::Column::UserId)
        .all(state.db.read())
        .await?;
    let view =
        |row: panel::Model| SeatView { user_id: row.user_id, added_at: row.added_at, conflict_at: row.conflict_at };
    Ok(web::Json(rows.into_iter().map(view).collect()))
}

/// Declare, as one of the panel, that one must not judge in this tender
#[utoipa::path(tag = "tenders", request_body = Reason, responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/conflict")]
async fn declare(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        scoring::declare(&state, txn, &actor, *id, &request.input.reason).await?;
        Ok(TenderKey { id: *id })
    })
    .await
}
