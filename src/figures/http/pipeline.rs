use std::collections::BTreeMap;

use actix_web::{get, web};
use entities::ids::{PlaceId, ProgrammeId};
use entities::needs::NeedState;
use entities::places::PlaceKind;
use entities::projects::ProjectState;
use sea_orm::Iterable;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::figures::pipeline::{self, Pipeline, Standing};
use crate::figures::scope::Scope;
use crate::figures::stays::{self, Stays};
use crate::identity::{Actor, Permission};
use crate::platform::calendar;
use crate::platform::http::{Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(read).service(time_in_states);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PipelineParams {
    /// This place and those below it.
    place_id: PlaceId,
    /// Only what this programme, or a part of it, pays for.
    programme_id: Option<ProgrammeId>,
}

/// Needs in one state.
#[derive(Serialize, ToSchema)]
struct NeedsView {
    state: NeedState,
    count: i64,
}

/// Projects in one state, and the money behind them.
#[derive(Serialize, ToSchema)]
struct ProjectsView {
    state: ProjectState,
    #[serde(flatten)]
    standing: StandingView,
}

/// A number of projects and the money behind them, from the ledger.
#[derive(Serialize, ToSchema)]
struct StandingView {
    count: i64,
    /// Selected, and in no contract yet.
    committed_fen: i64,
    /// In contracts, and not paid yet.
    contracted_fen: i64,
    /// Paid for accepted milestones.
    paid_fen: i64,
}

impl From<Standing> for StandingView {
    fn from(row: Standing) -> Self {
        let Standing { count, committed_fen, contracted_fen, paid_fen } = row;
        Self { count, committed_fen, contracted_fen, paid_fen }
    }
}

/// What stands where, in the order of the way; a state in which nothing stands is left out.
#[derive(Serialize, ToSchema)]
struct StandsView {
    needs: Vec<NeedsView>,
    projects: Vec<ProjectsView>,
    /// All projects together.
    all_projects: StandingView,
}

impl From<Pipeline> for StandsView {
    fn from(row: Pipeline) -> Self {
        let Pipeline { needs, projects } = row;
        let mut all = Standing::default();
        for standing in projects.values() {
            all.add(*standing);
        }
        let needs = NeedState::iter().filter_map(|state| Some(NeedsView { state, count: *needs.get(&state)? }));
        let projects = ProjectState::iter()
            .filter_map(|state| Some(ProjectsView { state, standing: (*projects.get(&state)?).into() }));
        Self { needs: needs.collect(), projects: projects.collect(), all_projects: all.into() }
    }
}

/// A place below.
#[derive(Serialize, ToSchema)]
struct ChildView {
    place_id: PlaceId,
    name: String,
    kind: PlaceKind,
    #[serde(flatten)]
    stands: StandsView,
}

/// A place's.
#[derive(Serialize, ToSchema)]
struct PipelineView {
    /// At and below the place.
    total: StandsView,
    /// Each place below it, in the order of their codes; what the total has more lies at the place itself.
    children: Vec<ChildView>,
}

/// How many needs and projects stand where on their way, and the money behind them; for staff who manage projects there
///
/// Needs that moderators hid are not counted. With a programme, needs are those that its projects took up.
#[utoipa::path(tag = "figures", params(PipelineParams), responses((status = 200, body = PipelineView)))]
#[get("/figures/pipeline")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PipelineParams>,
) -> Result<web::Json<PipelineView>, Problem> {
    let db = state.db.read();
    let scope = Scope::named(db, &actor, params.place_id, params.programme_id).await?;
    actor.require(Permission::ManageProjects, &scope.place.path)?;
    let (total, mut counted) = pipeline::count(db, &scope).await?;
    let children = scope.children(db).await?.into_iter().map(|(code, child)| ChildView {
        place_id: child.place_id,
        name: child.name,
        kind: child.kind,
        stands: counted.remove(&code).unwrap_or_default().into(),
    });
    Ok(web::Json(PipelineView { children: children.collect(), total: total.into() }))
}

/// Stays in a state.
#[derive(Serialize, ToSchema)]
struct StaysView {
    count: i64,
    /// The ⌈n/2⌉th shortest of them, in days of China's calendar.
    median_days: i64,
    longest_days: i64,
}

/// How long things stay in a state.
#[derive(Serialize, ToSchema)]
struct StateView {
    state: String,
    /// Those that went on. Absent if there are none.
    ended: Option<StaysView>,
    /// Those that are still there, until today. Absent if there are none.
    running: Option<StaysView>,
}

/// How long needs and projects of a place stay where.
#[derive(Serialize, ToSchema)]
struct TimesView {
    needs: Vec<StateView>,
    projects: Vec<StateView>,
}

/// In the order of the way.
fn views(rows: Vec<Stays>, order: impl Iterator<Item = String>) -> Vec<StateView> {
    let mut states: BTreeMap<String, StateView> = BTreeMap::new();
    for row in rows {
        let Stays { state, running, count, median_days, longest_days } = row;
        let view = states.entry(state.clone()).or_insert_with(|| StateView { state, ended: None, running: None });
        let side = if running == 0 { &mut view.ended } else { &mut view.running };
        *side = Some(StaysView { count, median_days, longest_days });
    }
    order.filter_map(|state| states.remove(&state)).collect()
}

/// How many days needs and projects stay in each state of their way; for staff who manage projects there
///
/// A stay lasts from the day on which something came into a state to the day on which it went on, by China's calendar: 0 if that was
/// the same day. States in which a way ends are left out.
#[utoipa::path(tag = "figures", params(PipelineParams), responses((status = 200, body = TimesView)))]
#[get("/figures/time-in-states")]
async fn time_in_states(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PipelineParams>,
) -> Result<web::Json<TimesView>, Problem> {
    let db = state.db.read();
    let scope = Scope::named(db, &actor, params.place_id, params.programme_id).await?;
    actor.require(Permission::ManageProjects, &scope.place.path)?;
    let today = calendar::day(state.clock.now()).to_string();
    let (needs, projects) = stays::of(db, &scope, &today).await?;
    Ok(web::Json(TimesView {
        needs: views(needs, NeedState::iter().map(|state| state.to_string())),
        projects: views(projects, ProjectState::iter().map(|state| state.to_string())),
    }))
}
