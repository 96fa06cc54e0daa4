use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::delivery::{FileOwner, ReportKind, report};
use entities::ids::{FileId, ProjectId, ProjectReportId};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::delivery::service::{self, handing_in};
use crate::files::Links;
use crate::identity::Actor;
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

/// Pictures of one report, visit, rectification or milestone.
pub(super) const MAX_FILES: usize = 9;
/// More of one thing is a slip of the pen.
pub(super) const MAX_AMOUNT: i64 = 10_000_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(count_by).service(create).service(list);
}

/// The pictures of one thing among those of many.
pub(super) fn taken(pictures: &mut Vec<(Uuid, Links)>, of: Uuid) -> Vec<Links> {
    let (own, rest) = std::mem::take(pictures).into_iter().partition(|(owner, _)| *owner == of);
    *pictures = rest;
    let own: Vec<(Uuid, Links)> = own;
    own.into_iter().map(|(_, link)| link).collect()
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CountBy {
    /// 青年女性, 全职妈妈
    #[serde(default)]
    #[garde(length(max = 20), inner(custom(text::line(40))))]
    groups: Vec<String>,
    #[serde(default)]
    #[garde(length(max = 20), dive)]
    indicators: Vec<NewIndicator>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewIndicator {
    /// 改造家庭
    #[garde(custom(text::line(30)))]
    name: String,
    /// 户
    #[garde(custom(text::line(10)))]
    unit: String,
    #[garde(range(min = 0, max = MAX_AMOUNT))]
    target: i64,
}

/// What a project is counted by.
#[derive(Serialize, ToSchema)]
struct CountedBy {
    groups: Vec<String>,
    indicators: Vec<String>,
}

/// Add groups and indicators that a running project is counted by; for the implementer and the programme's staff
///
/// Those of the design are there from the start. What is there already stays as it is.
#[utoipa::path(tag = "delivery", request_body = CountBy, responses((status = 200, body = CountedBy)))]
#[post("/projects/{id}/count-by")]
async fn count_by(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<CountBy>,
) -> Result<Outcome, Problem> {
    let CountBy { groups, indicators } = &request.input;
    let indicators: Vec<_> = indicators
        .iter()
        .map(|new| handing_in::Indicator { name: &new.name, unit: &new.unit, target: new.target })
        .collect();
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        handing_in::count_by(&state, txn, &actor, *id, groups, &indicators).await?;
        let indicators = handing_in::indicators_of(txn, *id).await?.into_iter().map(|row| row.name).collect();
        Ok(CountedBy { groups: handing_in::groups_of(txn, *id).await?, indicators })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReport {
    #[garde(skip)]
    kind: ReportKind,
    #[garde(skip)]
    period_from: NaiveDate,
    #[garde(skip)]
    period_until: NaiveDate,
    #[garde(custom(text::paragraph(5000)))]
    body: String,
    /// Against the project's indicators.
    #[serde(default)]
    #[garde(length(max = 50), dive)]
    figures: Vec<Figure>,
    /// Own uploaded pictures.
    #[serde(default)]
    #[garde(length(max = MAX_FILES))]
    file_ids: Vec<FileId>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Figure {
    #[garde(custom(text::line(60)))]
    indicator: String,
    #[garde(range(min = 0, max = MAX_AMOUNT))]
    amount: i64,
}

/// What the implementer reported.
#[derive(Serialize, ToSchema)]
struct ReportView {
    id: ProjectReportId,
    kind: ReportKind,
    period_from: String,
    period_until: String,
    body: String,
    /// `indicator` and `amount`.
    figures: Value,
    pictures: Vec<Links>,
    created_at: DateTime<Utc>,
}

fn view(row: report::Model, pictures: Vec<Links>) -> ReportView {
    let report::Model { id, kind, period_from, period_until, body, figures, created_at, .. } = row;
    ReportView { id, kind, period_from, period_until, body, figures, pictures, created_at }
}

/// Report on a running project; for the implementer. Everybody reads it
#[utoipa::path(tag = "delivery", request_body = NewReport, responses((status = 201, body = ReportView)))]
#[post("/projects/{id}/reports")]
async fn create(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<NewReport>,
) -> Result<Outcome, Problem> {
    let NewReport { kind, period_from, period_until, body, figures, file_ids } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let new = handing_in::NewReport {
            kind: *kind,
            period: (*period_from, *period_until),
            body,
            figures: figures.iter().map(|figure| (figure.indicator.as_str(), figure.amount)).collect(),
            file_ids,
        };
        let row = handing_in::report(&state, txn, &actor, *id, new).await?;
        let mut pictures = service::pictures(&state, txn, FileOwner::Report, &[row.id.0], true).await?;
        let own = taken(&mut pictures, row.id.0);
        Ok(view(row, own))
    })
    .await
}

/// The reports of a project, newest first
#[utoipa::path(tag = "delivery", params(PageParams), responses((status = 200, body = Page<ReportView>)))]
#[get("/projects/{id}/reports")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ReportView>>, Problem> {
    let read = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let project = service::find(read, *id).await?;
    let inside = service::standing(read, &actor, &project).await?.is_inside();
    let all = report::Entity::find().filter(report::Column::ProjectId.eq(*id));
    let rows = paging.apply(all, report::Column::Id).all(read).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let mut pictures = service::pictures(&state, read, FileOwner::Report, &ids, inside).await?;
    let mut of = |id| taken(&mut pictures, id);
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let own = of(row.id.0);
            view(row, own)
        },
    )))
}
