use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::delivery::{FileOwner, FindingState, Severity, Verdict, finding, rectification, visit};
use entities::ids::{FileId, FindingId, OrganisationId, ProjectId, VisitId};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::reports::{MAX_FILES, taken};
use crate::delivery::service::visiting::{self, NewFinding};
use crate::delivery::service::{self, findings};
use crate::files::Links;
use crate::identity::Actor;
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(visits).service(list_findings).service(rectify).service(check);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewVisit {
    #[garde(skip)]
    visited_on: NaiveDate,
    #[garde(custom(text::paragraph(5000)))]
    seen: String,
    #[serde(default)]
    #[garde(length(max = MAX_FILES))]
    file_ids: Vec<FileId>,
    #[serde(default)]
    #[garde(length(max = 20), dive)]
    findings: Vec<FindingInput>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct FindingInput {
    #[garde(skip)]
    severity: Severity,
    #[garde(custom(text::paragraph(2000)))]
    body: String,
    /// Until the end of this day.
    #[garde(skip)]
    due_on: NaiveDate,
}

/// A visit of a project's supervisor.
#[derive(Serialize, ToSchema)]
struct VisitView {
    id: VisitId,
    organisation_id: OrganisationId,
    visited_on: String,
    seen: String,
    pictures: Vec<Links>,
    created_at: DateTime<Utc>,
}

fn view(row: visit::Model, pictures: Vec<Links>) -> VisitView {
    let visit::Model { id, organisation_id, visited_on, seen, created_at, .. } = row;
    VisitView { id, organisation_id, visited_on, seen, pictures, created_at }
}

/// Record a visit to a running project and what it found; for the supervising organisation's people
#[utoipa::path(tag = "delivery", request_body = NewVisit, responses((status = 201, body = VisitView)))]
#[post("/projects/{id}/visits")]
async fn create(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<NewVisit>,
) -> Result<Outcome, Problem> {
    let NewVisit { visited_on, seen, file_ids, findings } = &request.input;
    let found: Vec<_> =
        findings.iter().map(|new| NewFinding { severity: new.severity, body: &new.body, due_on: new.due_on }).collect();
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = visiting::visit(&state, txn, &actor, *id, (*visited_on, seen), file_ids, &found).await?;
        let mut pictures = service::pictures(&state, txn, FileOwner::Visit, &[row.id.0], true).await?;
        let own = taken(&mut pictures, row.id.0);
        Ok(view(row, own))
    })
    .await
}

/// The supervisor's visits to a project, newest first
#[utoipa::path(tag = "delivery", params(PageParams), responses((status = 200, body = Page<VisitView>)))]
#[get("/projects/{id}/visits")]
async fn visits(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<VisitView>>, Problem> {
    let read = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let project = service::find(read, *id).await?;
    let inside = service::standing(read, &actor, &project).await?.is_inside();
    let all = visit::Entity::find().filter(visit::Column::ProjectId.eq(*id));
    let rows = paging.apply(all, visit::Column::Id).all(read).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id.0).collect();
    let mut pictures = service::pictures(&state, read, FileOwner::Visit, &ids, inside).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let own = taken(&mut pictures, row.id.0);
            view(row, own)
        },
    )))
}

/// What was done about a finding, and what the supervisor says to it.
#[derive(Serialize, ToSchema)]
struct RectificationView {
    round: i64,
    done: String,
    pictures: Vec<Links>,
    done_at: DateTime<Utc>,
    /// Absent until the supervisor has looked.
    verdict: Option<Verdict>,
    remark: Option<String>,
    checked_at: Option<DateTime<Utc>>,
}

/// Something that a visit found.
#[derive(Serialize, ToSchema)]
struct FindingView {
    id: FindingId,
    visit_id: VisitId,
    severity: Severity,
    body: String,
    due_at: DateTime<Utc>,
    state: FindingState,
    /// Not closed, and its day is over.
    overdue: bool,
    closed_at: Option<DateTime<Utc>>,
    /// In their order.
    rectifications: Vec<RectificationView>,
}

fn finding_view(state: &AppState, row: finding::Model, rectifications: Vec<RectificationView>) -> FindingView {
    FindingView {
        id: row.id,
        visit_id: row.visit_id,
        severity: row.severity,
        body: row.body,
        due_at: row.due_at,
        state: row.state,
        overdue: row.state != FindingState::Closed && row.due_at <= state.clock.now(),
        closed_at: row.closed_at,
        rectifications,
    }
}

/// The findings of a project's supervisor with what was done about them, newest first
#[utoipa::path(tag = "delivery", params(PageParams), responses((status = 200, body = Page<FindingView>)))]
#[get("/projects/{id}/findings")]
async fn list_findings(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<FindingView>>, Problem> {
    let read = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let project = service::find(read, *id).await?;
    let inside = service::standing(read, &actor, &project).await?.is_inside();
    let all = finding::Entity::find().filter(finding::Column::ProjectId.eq(*id));
    let rows = paging.apply(all, finding::Column::Id).all(read).await?;
    let done = rectification::Entity::find()
        .filter(rectification::Column::FindingId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(rectification::Column::Round)
        .all(read)
        .await?;
    let ids: Vec<Uuid> = done.iter().map(|row| row.id.0).collect();
    let mut pictures = service::pictures(&state, read, FileOwner::Rectification, &ids, inside).await?;
    let mut by_finding: HashMap<FindingId, Vec<RectificationView>> = HashMap::new();
    for row in done {
        let pictures = taken(&mut pictures, row.id.0);
        by_finding.entry(row.finding_id).or_default().push(RectificationView {
            round: row.round,
            done: row.done,
            pictures,
            done_at: row.done_at,
            verdict: row.verdict,
            remark: row.remark,
            checked_at: row.checked_at,
        });
    }
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let done = by_finding.remove(&row.id).unwrap_or_default();
            finding_view(&state, row, done)
        },
    )))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rectification {
    #[garde(custom(text::paragraph(2000)))]
    done: String,
    #[serde(default)]
    #[garde(length(max = MAX_FILES))]
    file_ids: Vec<FileId>,
}

/// Say what was done about a finding; for the implementer
#[utoipa::path(tag = "delivery", request_body = Rectification, responses((status = 200, body = FindingView)))]
#[post("/findings/{id}/rectifications")]
async fn rectify(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FindingId>,
    request: Command<Rectification>,
) -> Result<Outcome, Problem> {
    let Rectification { done, file_ids } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = findings::rectify(&state, txn, &actor, *id, done, file_ids).await?;
        Ok(finding_view(&state, row, Vec::new()))
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    #[garde(skip)]
    verdict: Verdict,
    #[garde(custom(text::paragraph(1000)))]
    remark: String,
}

/// Close a rectified finding, or demand that it be done again; for the supervisor
#[utoipa::path(tag = "delivery", request_body = Check, responses((status = 200, body = FindingView)))]
#[post("/findings/{id}/check")]
async fn check(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<FindingId>,
    request: Command<Check>,
) -> Result<Outcome, Problem> {
    let Check { verdict, remark } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = findings::check(&state, txn, &actor, *id, *verdict, remark).await?;
        Ok(finding_view(&state, row, Vec::new()))
    })
    .await
}
