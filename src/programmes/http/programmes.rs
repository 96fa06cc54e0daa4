use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, ProgrammeId};
use entities::places::{PlaceKind, place};
use entities::programmes::{Allocation, ProgrammeState, programme};
use garde::Validate;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission};
use crate::ledger;
use crate::places;
use crate::platform::http::{Body, Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;
use crate::programmes::domain::{Criterion, Phase, Phases};
use crate::programmes::service::{self, Words};

/// A thousand million yuan: more is a slip of the pen.
const MAX_FEN: i64 = 100_000_000_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(edit)
        .service(open)
        .service(raise)
        .service(postpone)
        .service(close);
}

/// Money for a purpose, with its rules and calendar.
#[derive(Serialize, ToSchema)]
struct ProgrammeView {
    id: ProgrammeId,
    /// The programme that it is a part of.
    parent_id: Option<ProgrammeId>,
    place_id: PlaceId,
    /// Whose programme it is: the kind of its place.
    level: PlaceKind,
    title: String,
    description: String,
    state: ProgrammeState,
    phases: Phases,
    /// The part of the calendar that it is in now.
    phase: Phase,
    budget_fen: i64,
    /// What it has not given to projects or parts; the books say more.
    available_fen: i64,
    /// At most so much for one project.
    cap_fen: i64,
    /// For so many projects.
    count_target: i64,
    rubric: Vec<Criterion>,
    /// So many experts review a project at least.
    min_reviews: i64,
    /// What experts' scores count, in per cent; the rest are the residents' votes.
    expert_weight: i64,
    allocation: Allocation,
    /// Objections to what it publishes are taken so many days.
    objection_days: i64,
    created_at: DateTime<Utc>,
}

async fn views(
    state: &AppState,
    connection: &impl ConnectionTrait,
    rows: Vec<programme::Model>,
) -> Result<Vec<ProgrammeView>, Problem> {
    let now = state.clock.now();
    let funds = ledger::fund_balances(connection, rows.iter().map(|row| (row.place_id, row.id.0))).await?;
    let places = place::Entity::find().filter(place::Column::Id.is_in(rows.iter().map(|row| row.place_id)));
    let places = places.all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let phases = service::phases(&row);
            Ok(ProgrammeView {
                rubric: service::rubric(&row)?,
                level: places
                    .iter()
                    .find(|place| place.id == row.place_id)
                    .map_or(PlaceKind::Community, |place| place.kind),
                phase: phases.at(now),
                phases,
                available_fen: funds.get(&row.id.0).copied().unwrap_or_default().available(),
                id: row.id,
                parent_id: row.parent_id,
                place_id: row.place_id,
                title: row.title,
                description: row.description,
                state: row.state,
                budget_fen: row.budget_fen,
                cap_fen: row.cap_fen,
                count_target: row.count_target,
                min_reviews: row.min_reviews,
                expert_weight: row.expert_weight,
                allocation: row.allocation,
                objection_days: row.objection_days,
                created_at: row.created_at,
            })
        })
        .collect()
}

async fn view(
    state: &AppState,
    connection: &impl ConnectionTrait,
    row: programme::Model,
) -> Result<ProgrammeView, Problem> {
    let views = views(state, connection, vec![row]).await?;
    views.into_iter().next().ok_or_else(|| crate::platform::code::Code::Internal.into())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProgrammeParams {
    /// Programmes of this place, of those below it, and of those that it lies in.
    place_id: Option<PlaceId>,
    /// The parts of this one.
    parent_id: Option<ProgrammeId>,
    state: Option<ProgrammeState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Programmes, newest first; drafts for their staff only
#[utoipa::path(tag = "programmes", params(ProgrammeParams), responses((status = 200, body = Page<ProgrammeView>)))]
#[get("/programmes")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ProgrammeParams>,
) -> Result<web::Json<Page<ProgrammeView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let db = state.db.read();
    let managed = actor.require_somewhere(Permission::ManageProjects).unwrap_or_default();
    let shown = Condition::any()
        .add(programme::Column::State.ne(ProgrammeState::Draft))
        .add(places::within_any(programme::Column::PlacePath, managed));
    let mut found = programme::Entity::find().filter(shown);
    if let Some(id) = params.place_id {
        let place = places::named(db, id, "?place_id").await?;
        let above = place.path.match_indices('/').skip(1).filter_map(|(at, _)| place.path.get(..=at));
        let concerns = Condition::any()
            .add(places::within(programme::Column::PlacePath, &place.path))
            .add(programme::Column::PlacePath.is_in(above));
        found = found.filter(concerns);
    }
    if let Some(parent) = params.parent_id {
        found = found.filter(programme::Column::ParentId.eq(parent));
    }
    if let Some(wanted) = params.state {
        found = found.filter(programme::Column::State.eq(wanted));
    }
    let rows = paging.apply(found, programme::Column::Id).all(db).await?;
    let page = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = views(&state, db, page.items).await?;
    Ok(web::Json(Page { items, next_cursor: page.next_cursor }))
}

/// One programme
#[utoipa::path(tag = "programmes", responses((status = 200, body = ProgrammeView)))]
#[get("/programmes/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
) -> Result<web::Json<ProgrammeView>, Problem> {
    let row = service::find(state.db.read(), &actor, *id).await?;
    Ok(web::Json(view(&state, state.db.read(), row).await?))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProgramme {
    /// A district, street or community.
    #[garde(skip)]
    place_id: PlaceId,
    /// A programme of the same place that pays for this one.
    #[garde(skip)]
    parent_id: Option<ProgrammeId>,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(custom(text::paragraph(2000)))]
    description: String,
    #[garde(range(min = 1, max = MAX_FEN))]
    budget_fen: i64,
    /// For one project; at most the budget.
    #[garde(range(min = 1, max = MAX_FEN))]
    cap_fen: i64,
    #[garde(range(min = 1, max = 100_000))]
    count_target: i64,
    #[garde(length(min = 1, max = 10), dive)]
    rubric: Vec<Criterion>,
    #[garde(range(min = 1, max = 20))]
    min_reviews: i64,
    /// In per cent.
    #[garde(range(min = 0, max = 100))]
    expert_weight: i64,
    #[garde(skip)]
    allocation: Allocation,
    #[garde(range(min = 1, max = 60))]
    objection_days: i64,
    #[garde(skip)]
    phases: Phases,
}

impl NewProgramme {
    fn words(&self) -> Words<'_> {
        Words {
            place_id: self.place_id,
            parent_id: self.parent_id,
            title: &self.title,
            description: &self.description,
            budget_fen: self.budget_fen,
            cap_fen: self.cap_fen,
            count_target: self.count_target,
            expert_weight: self.expert_weight,
            allocation: self.allocation,
            rubric: &self.rubric,
            min_reviews: self.min_reviews,
            objection_days: self.objection_days,
            phases: self.phases,
        }
    }
}

/// Draft a programme
#[utoipa::path(tag = "programmes", request_body = NewProgramme, responses((status = 201, body = ProgrammeView)))]
#[post("/programmes")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewProgramme>) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = service::create(&state, txn, &actor, &request.input.words()).await?;
        view(&state, txn, row).await
    })
    .await
}

/// Replace a draft; its place and what it is a part of stay
#[utoipa::path(tag = "programmes", request_body = NewProgramme, responses((status = 200, body = ProgrammeView)))]
#[put("/programmes/{id}")]
async fn edit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    body: Body<NewProgramme>,
) -> Result<web::Json<ProgrammeView>, Problem> {
    let view = transact(&state, async |txn| {
        let row = service::edit(&state, txn, &actor, *id, &body.words()).await?;
        view(&state, txn, row).await
    });
    Ok(web::Json(view.await?))
}

/// Open a draft: its budget is entered in the books, and it stays as it is from now on
///
/// A part gets its budget from the programme that it belongs to: 409 `insufficient_funds` if that has less left.
#[utoipa::path(tag = "programmes", responses((status = 200, body = ProgrammeView)))]
#[post("/programmes/{id}/open")]
async fn open(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = service::open(&state, txn, &actor, *id).await?;
        view(&state, txn, row).await
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Raise {
    #[garde(range(min = 1, max = MAX_FEN))]
    amount_fen: i64,
    /// Published.
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Raise the budget of an open programme, with a reason that is published
#[utoipa::path(tag = "programmes", request_body = Raise, responses((status = 200, body = ProgrammeView)))]
#[post("/programmes/{id}/raise")]
async fn raise(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    request: Command<Raise>,
) -> Result<Outcome, Problem> {
    let Raise { amount_fen, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = service::raise(&state, txn, &actor, *id, (*amount_fen, reason.trim())).await?;
        view(&state, txn, row).await
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Postpone {
    /// All five; those that stay as they are, too.
    #[garde(skip)]
    phases: Phases,
    /// Published.
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Move dates of an open programme to later days, with a reason that is published as a correction of its notice
///
/// A date that has passed stays. Polls that were drafted keep their end.
#[utoipa::path(tag = "programmes", request_body = Postpone, responses((status = 200, body = ProgrammeView)))]
#[post("/programmes/{id}/postpone")]
async fn postpone(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    request: Command<Postpone>,
) -> Result<Outcome, Problem> {
    let Postpone { phases, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = service::postpone(&state, txn, &actor, *id, (*phases, reason.trim())).await?;
        view(&state, txn, row).await
    })
    .await
}

/// Close an open programme: what it has not given away goes back to where it came from
///
/// 409 `programme_busy` while a part of it is open, or a project waits for its decision.
#[utoipa::path(tag = "programmes", responses((status = 200, body = ProgrammeView)))]
#[post("/programmes/{id}/close")]
async fn close(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProgrammeId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = service::close(&state, txn, &actor, *id).await?;
        view(&state, txn, row).await
    })
    .await
}
