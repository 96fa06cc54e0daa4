use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use entities::ids::ProjectId;
use entities::projects::{ProjectState, project};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::delivery::domain::counts::Cell;
use crate::delivery::service::{self, closing, figures, handing_in};
use crate::identity::Actor;
use crate::places;
use crate::platform::http::{Command, Nothing, Outcome, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(start).service(terminate).service(read_figures);
}

/// Where a project stands now.
#[derive(Serialize, ToSchema)]
pub(super) struct ProjectStanding {
    id: ProjectId,
    state: ProjectState,
}

impl From<project::Model> for ProjectStanding {
    fn from(row: project::Model) -> Self {
        Self { id: row.id, state: row.state }
    }
}

/// Begin to carry a project out; for the implementer, once a supervisor is named
#[utoipa::path(tag = "delivery", request_body = Nothing, responses((status = 200, body = ProjectStanding)))]
#[post("/projects/{id}/start")]
async fn start(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        closing::start(&state, txn, &actor, *id).await.map(ProjectStanding::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Termination {
    #[garde(custom(text::paragraph(1000)))]
    reason: String,
}

/// End a project before its time; what its contract has not paid goes back to the programme
#[utoipa::path(tag = "delivery", request_body = Termination, responses((status = 200, body = ProjectStanding)))]
#[post("/projects/{id}/terminate")]
async fn terminate(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Termination>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        closing::terminate(&state, txn, &actor, *id, &request.input.reason).await.map(ProjectStanding::from)
    })
    .await
}

/// People and times.
#[derive(Serialize, ToSchema)]
struct CellView {
    /// Different people of the register.
    people: i64,
    /// Each time that somebody came, known or only counted.
    person_times: i64,
}

impl From<Cell> for CellView {
    fn from(cell: Cell) -> Self {
        Self { people: cell.people, person_times: cell.person_times() }
    }
}

/// One group's figures.
#[derive(Serialize, ToSchema)]
struct GroupCell {
    name: String,
    /// Absent if it is too small to be shown.
    count: Option<CellView>,
}

/// One indicator.
#[derive(Serialize, ToSchema)]
struct IndicatorFigure {
    name: String,
    unit: String,
    target: i64,
    reached: i64,
}

/// A project's figures, counted from its confirmed services.
#[derive(Serialize, ToSchema)]
struct FiguresView {
    /// Absent if it is too small to be shown.
    total: Option<CellView>,
    /// One person may be in several groups, or in none.
    groups: Vec<GroupCell>,
    /// An audience, which may count one person often.
    reached: i64,
    /// Confirmed services by kind.
    services: BTreeMap<String, i64>,
    indicators: Vec<IndicatorFigure>,
    /// Case files; absent if there are too few to be shown.
    cases: Option<i64>,
    /// Fewer people than this are not shown to others than those in the project.
    minimum_cell: i64,
}

/// A project's people and person-times by group, services, indicators and cases
///
/// Counted anew each time. Others than those in the project do not see cells of fewer people than `rules.minimum_cell`, nor those
/// that all but so few are in.
#[utoipa::path(tag = "delivery", responses((status = 200, body = FiguresView)))]
#[get("/projects/{id}/figures")]
async fn read_figures(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
) -> Result<web::Json<FiguresView>, Problem> {
    let read = state.db.read();
    let project = service::find(read, *id).await?;
    let inside = service::standing(read, &actor, &project).await?.is_inside();
    let counted = figures::figures(read, &project).await?;
    let minimum_cell = places::rules(&state, read, project.community_id).await?.minimum_cell;
    let shown = counted.shown(if inside { 0 } else { minimum_cell });
    let reached = |name: &str| counted.indicators.get(name).copied().unwrap_or_default();
    let indicators = handing_in::indicators_of(read, *id).await?.into_iter().map(|row| IndicatorFigure {
        reached: reached(&row.name),
        name: row.name,
        unit: row.unit,
        target: row.target,
    });
    let groups = shown.groups.into_iter().map(|(name, count)| GroupCell { name, count: count.map(Into::into) });
    Ok(web::Json(FiguresView {
        total: shown.total.map(Into::into),
        groups: groups.collect(),
        reached: counted.reached,
        indicators: indicators.collect(),
        cases: shown.cases,
        services: counted.services,
        minimum_cell,
    }))
}
