use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{OrganisationId, PlaceId, PlatformId};
use entities::organisations::{OrganisationState, PlatformLevel, ReportedFigure, platform, platform_report};
use garde::Validate;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::organisations::service::platforms::{self, NewPlatform, NewReport};
use crate::places::{self, within};
use crate::platform::http::{Body, Caller, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

/// 10 billion yuan: more is a slip of the pen.
const MOST_FEN: i64 = 1_000_000_000_000;
/// So many published figures are shown.
const REPORTS: u64 = 200;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(overview).service(list).service(create).service(read).service(operate).service(report);
}

/// A base, a centre or an office that raises organisations.
#[derive(Serialize, ToSchema)]
struct PlatformView {
    id: PlatformId,
    level: PlatformLevel,
    place_id: PlaceId,
    name: String,
    /// What it runs.
    runs: String,
    area_m2: Option<i64>,
    invested_fen: Option<i64>,
    opened_year: Option<i64>,
    /// Who operates it, from the pool.
    operator_id: Option<OrganisationId>,
    /// Counted: organisations whose base it is.
    incubating: i64,
    /// Counted: organisations that it guides.
    guided: i64,
    /// Counted: organisations that it raised until they were registered.
    registered: i64,
}

fn view(row: platform::Model, raised: &BTreeMap<(PlatformId, OrganisationState), i64>) -> PlatformView {
    let count = |state| raised.get(&(row.id, state)).copied().unwrap_or_default();
    PlatformView {
        incubating: count(OrganisationState::Incubating),
        guided: count(OrganisationState::Guided),
        registered: count(OrganisationState::Registered),
        id: row.id,
        level: row.level,
        place_id: row.place_id,
        name: row.name,
        runs: row.runs,
        area_m2: row.area_m2,
        invested_fen: row.invested_fen,
        opened_year: row.opened_year,
        operator_id: row.operator_id,
    }
}

/// The platforms at and below a place, newest first
#[utoipa::path(tag = "platforms", params(places::ListParams), responses((status = 200, body = Page<PlatformView>)))]
#[get("/platforms")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<PlatformView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(connection, params.place_id, "?place_id").await?;
    let there = platform::Entity::find().filter(within(platform::Column::PlacePath, &place.path));
    let rows = paging.apply(there, platform::Column::Id).all(connection).await?;
    let raised = platforms::raised(connection, rows.iter().map(|row| row.id)).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, |row| view(row, &raised))))
}

/// One platform
#[utoipa::path(tag = "platforms", responses((status = 200, body = PlatformView)))]
#[get("/platforms/{id}")]
async fn read(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<PlatformId>,
) -> Result<web::Json<PlatformView>, Problem> {
    let connection = state.db.read();
    let row = platforms::find(connection, *id).await?;
    let raised = platforms::raised(connection, [row.id]).await?;
    Ok(web::Json(view(row, &raised)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPlatformBody {
    /// A district, a street or a community: the platform is of this level.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    name: String,
    #[garde(custom(text::paragraph(1000)))]
    runs: String,
    #[garde(range(min = 1, max = 10_000_000))]
    area_m2: Option<i64>,
    #[garde(range(min = 0, max = MOST_FEN))]
    invested_fen: Option<i64>,
    #[garde(range(min = 1949, max = 2999))]
    opened_year: Option<i64>,
}

/// Write a platform down, as staff of its place
#[utoipa::path(tag = "platforms", request_body = NewPlatformBody, responses((status = 201, body = PlatformView)))]
#[post("/platforms")]
async fn create(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewPlatformBody>,
) -> Result<Outcome, Problem> {
    let NewPlatformBody { place_id, name, runs, area_m2, invested_fen, opened_year } = &request.input;
    let new = NewPlatform {
        place_id: *place_id,
        name,
        runs,
        area_m2: *area_m2,
        invested_fen: *invested_fen,
        opened_year: *opened_year,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        Ok(view(platforms::create(&state, txn, &actor, &new).await?, &BTreeMap::new()))
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct NewOperator {
    organisation_id: OrganisationId,
}

/// Hand a platform to an operator of the pool, as staff of its place
#[utoipa::path(tag = "platforms", request_body = NewOperator, responses((status = 200, body = PlatformView)))]
#[put("/platforms/{id}/operator")]
async fn operate(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlatformId>,
    input: Body<NewOperator>,
) -> Result<web::Json<PlatformView>, Problem> {
    let operator = input.organisation_id;
    let row = transact(&state, async |txn| platforms::operate(&state, txn, &actor, *id, operator).await).await?;
    let raised = platforms::raised(state.db.read(), [row.id]).await?;
    Ok(web::Json(view(row, &raised)))
}

/// What is known of the platforms of one level.
#[derive(Serialize, ToSchema)]
struct LevelView {
    level: PlatformLevel,
    /// Counted by the system.
    platforms: i64,
    /// Counted: the sum of what is written down of each.
    invested_fen: i64,
    /// Counted, likewise.
    area_m2: i64,
    /// Counted: organisations whose base or centre one of them is.
    organisations: i64,
    /// As published, newest first.
    reported: Vec<ReportView>,
}

/// A figure as it was published.
#[derive(Serialize, ToSchema)]
struct ReportView {
    /// Of what.
    subject: String,
    figure: ReportedFigure,
    amount: i64,
    /// Whether it was published as "over".
    at_least: bool,
    source: String,
    recorded_at: DateTime<Utc>,
}

impl From<platform_report::Model> for ReportView {
    fn from(row: platform_report::Model) -> Self {
        let platform_report::Model { subject, figure, amount, at_least, source, recorded_at, .. } = row;
        Self { subject, figure, amount, at_least, source, recorded_at }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OverviewParams {
    /// This place and those below it.
    place_id: PlaceId,
}

/// The three levels: what is counted of their platforms, beside what was published
#[utoipa::path(tag = "platforms", params(OverviewParams), responses((status = 200, body = [LevelView])))]
#[get("/platforms/overview")]
async fn overview(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<OverviewParams>,
) -> Result<web::Json<Vec<LevelView>>, Problem> {
    let connection = state.db.read();
    let place = places::named(connection, params.place_id, "?place_id").await?;
    let counted = platforms::counted(connection, &place.path).await?;
    let reports = platform_report::Entity::find()
        .filter(within(platform_report::Column::PlacePath, &place.path))
        .order_by_desc(platform_report::Column::Id)
        .limit(REPORTS)
        .all(connection)
        .await?;
    let levels = [PlatformLevel::District, PlatformLevel::Street, PlatformLevel::Community];
    let views = levels.into_iter().map(|level| {
        let one = counted.iter().find(|counted| counted.level == level);
        LevelView {
            level,
            platforms: one.map_or(0, |one| one.platforms),
            invested_fen: one.map_or(0, |one| one.invested_fen),
            area_m2: one.map_or(0, |one| one.area_m2),
            organisations: one.map_or(0, |one| one.raised),
            reported: reports.iter().filter(|row| row.level == level).cloned().map(ReportView::from).collect(),
        }
    });
    Ok(web::Json(views.collect()))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReportBody {
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(skip)]
    level: PlatformLevel,
    #[garde(custom(text::line(60)))]
    subject: String,
    #[garde(skip)]
    figure: ReportedFigure,
    #[garde(range(min = 0, max = MOST_FEN))]
    amount: i64,
    /// Whether it was published as "over".
    #[garde(skip)]
    #[serde(default)]
    at_least: bool,
    #[garde(custom(text::line(100)))]
    source: String,
}

/// Write down a figure as it was published, as staff of the place; it is never changed
#[utoipa::path(tag = "platforms", request_body = NewReportBody, responses((status = 201, body = ReportView)))]
#[post("/platform-reports")]
async fn report(state: web::Data<AppState>, actor: Actor, request: Command<NewReportBody>) -> Result<Outcome, Problem> {
    let NewReportBody { place_id, level, subject, figure, amount, at_least, source } = &request.input;
    let new = NewReport {
        place_id: *place_id,
        level: *level,
        subject,
        figure: *figure,
        amount: *amount,
        at_least: *at_least,
        source,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        platforms::report(&state, txn, &actor, &new).await.map(ReportView::from)
    })
    .await
}
