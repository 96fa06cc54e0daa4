use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::{FileId, OrganisationId, ProjectId};
use entities::judgement::{EvaluationResult, evaluation};
use entities::projects::ProjectState;
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::delivery;
use crate::files::{self, Audience};
use crate::identity::Actor;
use crate::judgement::service::evaluating::{self, Judged, NewEvaluation};
use crate::judgement::service::finishing;
use crate::platform::http::{Command, Nothing, Outcome, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(evaluate).service(list).service(resubmit).service(finish);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EvaluationInput {
    #[garde(skip)]
    result: EvaluationResult,
    /// 0 to 100.
    #[garde(range(min = 0, max = 100))]
    score: i64,
    #[garde(length(min = 1, max = 50), dive)]
    indicators: Vec<IndicatorInput>,
    #[garde(custom(text::paragraph(3000)))]
    summary: String,
    /// What is to be put right, with `rectify`.
    #[garde(custom(text::optional_paragraph(2000)))]
    advice: Option<String>,
    /// By when, with `rectify`.
    #[garde(skip)]
    rectify_by: Option<NaiveDate>,
    /// An uploaded PDF of one's own.
    #[garde(skip)]
    report_file_id: FileId,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct IndicatorInput {
    #[garde(custom(text::line(60)))]
    name: String,
    /// What the score rests on.
    #[garde(custom(text::paragraph(1000)))]
    evidence: String,
    #[garde(range(min = 0, max = 100))]
    score: i64,
}

/// A third party's evaluation.
#[derive(Serialize, ToSchema)]
struct EvaluationView {
    seq: i64,
    result: EvaluationResult,
    score: i64,
    /// `name`, `evidence`, `score`.
    indicators: Value,
    summary: String,
    advice: Option<String>,
    rectify_by: Option<String>,
    /// The report; good for a quarter to half an hour.
    report_url: String,
    /// Of the report's bytes, as the notice says it.
    report_sha256: String,
    organisation_id: OrganisationId,
    created_at: DateTime<Utc>,
}

fn view(state: &AppState, row: evaluation::Model) -> EvaluationView {
    EvaluationView {
        seq: row.seq,
        result: row.result,
        score: row.score,
        indicators: row.indicators,
        summary: row.summary,
        advice: row.advice,
        rectify_by: row.rectify_by,
        report_url: files::link(state, row.report_file_id, Audience::Public).url,
        report_sha256: row.report_sha256,
        organisation_id: row.organisation_id,
        created_at: row.created_at,
    }
}

/// Evaluate a completed project, after the residents' rating is published; for the evaluating organisation's people
///
/// 403 `evaluator_involved` for whoever had another part in the project. `rectify` sends it back to the implementer.
#[utoipa::path(tag = "judgement", request_body = EvaluationInput, responses((status = 201, body = EvaluationView)))]
#[post("/projects/{id}/evaluations")]
async fn evaluate(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<EvaluationInput>,
) -> Result<Outcome, Problem> {
    let input = &request.input;
    let judged =
        input.indicators.iter().map(|row| Judged { name: &row.name, evidence: &row.evidence, score: row.score });
    let new = NewEvaluation {
        result: input.result,
        score: input.score,
        indicators: judged.collect(),
        summary: &input.summary,
        advice: input.advice.as_deref(),
        rectify_by: input.rectify_by,
        report_file_id: input.report_file_id,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        evaluating::evaluate(&state, txn, &actor, *id, &new).await.map(|row| view(&state, row))
    })
    .await
}

/// A project's evaluations.
#[derive(Serialize, ToSchema)]
struct Evaluations {
    /// The last first; there are few.
    items: Vec<EvaluationView>,
}

/// The evaluations of a project, the last first
#[utoipa::path(tag = "judgement", responses((status = 200, body = Evaluations)))]
#[get("/projects/{id}/evaluations")]
async fn list(
    state: web::Data<AppState>,
    _: Actor,
    id: web::Path<ProjectId>,
) -> Result<web::Json<Evaluations>, Problem> {
    let read = state.db.read();
    delivery::find(read, *id).await?;
    let rows = evaluating::evaluations(read, *id).await?;
    Ok(web::Json(Evaluations { items: rows.into_iter().map(|row| view(&state, row)).collect() }))
}

/// Where a project stands now.
#[derive(Serialize, ToSchema)]
struct Moved {
    id: ProjectId,
    state: ProjectState,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Resubmission {
    /// What was put right.
    #[garde(custom(text::paragraph(3000)))]
    body: String,
}

/// Say what was put right after an evaluation that asked for it; for the implementer. It is evaluated again
#[utoipa::path(tag = "judgement", request_body = Resubmission, responses((status = 200, body = Moved)))]
#[post("/projects/{id}/resubmit")]
async fn resubmit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Resubmission>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = evaluating::resubmit(&state, txn, &actor, *id, &request.input.body).await?;
        Ok(Moved { id: row.id, state: row.state })
    })
    .await
}

/// What a project ended with.
#[derive(Serialize, ToSchema)]
struct Finished {
    id: ProjectId,
    state: ProjectState,
    /// What went back to the programme.
    returned_fen: i64,
    needs_resolved: i64,
    /// As the notice says them.
    figures: String,
}

/// Finish an evaluated project; for the programme's staff
///
/// What was not spent goes back to the programme, the needs that it took up are resolved and their authors and supporters told, and
/// a notice says its figures.
#[utoipa::path(tag = "judgement", request_body = Nothing, responses((status = 200, body = Finished)))]
#[post("/projects/{id}/finish")]
async fn finish(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (project, closing) = finishing::finish(&state, txn, &actor, *id).await?;
        Ok(Finished {
            id: project.id,
            state: project.state,
            returned_fen: closing.returned_fen,
            needs_resolved: closing.needs_resolved,
            figures: closing.figures,
        })
    })
    .await
}
