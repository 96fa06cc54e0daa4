use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use entities::ids::{ProjectId, ReviewId, UserId};
use entities::projects::{Recommendation, review as row};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Command, Outcome, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::programmes;
use crate::projects::{review, service};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(write).service(declare);
}

/// An expert's review; nobody's name but for staff of the programme.
#[derive(Serialize, ToSchema)]
struct ReviewView {
    id: ReviewId,
    /// Whether the caller wrote it.
    mine: bool,
    /// Who wrote it, for staff of the programme.
    reviewer_id: Option<UserId>,
    /// By criterion.
    scores: BTreeMap<String, i64>,
    /// What they are worth, in millionths.
    points: i64,
    comment: String,
    recommendation: Recommendation,
}

fn view(row: row::Model, me: UserId, staff: bool) -> Result<ReviewView, Problem> {
    Ok(ReviewView {
        id: row.id,
        mine: row.reviewer_id == me,
        reviewer_id: staff.then_some(row.reviewer_id),
        scores: serde_json::from_value(row.scores).map_err(|error| Problem::from(Code::Internal).caused_by(error))?,
        points: row.points,
        comment: row.comment,
        recommendation: row.recommendation,
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReviewParams {
    /// Of which version; the latest without it.
    version: Option<i64>,
}

/// What experts make of a version.
#[derive(Serialize, ToSchema)]
struct Reviews {
    version: i64,
    items: Vec<ReviewView>,
    /// Whether others' reviews are not shown to the caller yet.
    hidden: bool,
    /// The mean of all of them, in millionths, once they are shown.
    experts: Option<i64>,
}

/// The reviews of a version: one's own always; others' for staff, for experts who have reviewed it or when the reviews have ended, and
/// for everybody once the project is shortlisted
#[utoipa::path(tag = "projects", params(ReviewParams), responses((status = 200, body = Reviews)))]
#[get("/projects/{id}/reviews")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    params: Params<ReviewParams>,
) -> Result<web::Json<Reviews>, Problem> {
    let db = state.db.read();
    let version = match params.version {
        Some(version) => version,
        None => service::find(db, *id).await?.version,
    };
    let shown = review::read(&state, db, &actor, (*id, version)).await?;
    let points: Vec<_> = shown.rows.iter().map(|row| row.points).collect();
    let items = shown.rows.into_iter().map(|row| view(row, actor.user_id, shown.staff));
    Ok(web::Json(Reviews {
        version,
        items: items.collect::<Result<_, _>>()?,
        hidden: !shown.complete,
        experts: (shown.complete && !points.is_empty()).then(|| programmes::mean(&points)),
    }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReview {
    /// Which version is judged: the latest.
    #[garde(skip)]
    version: i64,
    /// For every criterion of the programme's rubric.
    #[garde(length(max = 10))]
    scores: BTreeMap<String, i64>,
    /// Published without a name once the project is shortlisted.
    #[garde(custom(text::paragraph(2000)))]
    comment: String,
    #[garde(skip)]
    recommendation: Recommendation,
}

/// Review a design, once a version, as an expert of its programme
///
/// 403 `not_on_panel`, `conflict_of_interest`; 409 `already_reviewed`, `phase_over`, `project_state`.
#[utoipa::path(tag = "projects", request_body = NewReview, responses((status = 201, body = ReviewView)))]
#[post("/projects/{id}/reviews")]
async fn write(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<NewReview>,
) -> Result<Outcome, Problem> {
    let NewReview { version, scores, comment, recommendation } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let words = review::Words { version: *version, scores, comment, recommendation: *recommendation };
        view(review::write(&state, txn, &actor, *id, words).await?, actor.user_id, false)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Declaration {
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// That somebody must not judge a project.
#[derive(Serialize, ToSchema)]
struct Declared {
    project_id: ProjectId,
    conflicted: bool,
}

/// Say, as an expert, that one must not judge a project; before reviewing it
#[utoipa::path(tag = "projects", request_body = Declaration, responses((status = 200, body = Declared)))]
#[post("/projects/{id}/conflict")]
async fn declare(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Declaration>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        review::declare(&state, txn, &actor, *id, &request.input.reason).await?;
        Ok(Declared { project_id: *id, conflicted: true })
    })
    .await
}
