use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ComplaintId, NeedId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::staff::Stands;
use crate::identity::Actor;
use crate::moderation;
use crate::needs::service::{self, answers, submitting, timeline};
use crate::platform::http::{Command, Nothing, Outcome, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(withdraw).service(dispute).service(complain).service(read_timeline).service(subject);
}

/// Take one's need back, before anybody has taken it up
#[utoipa::path(tag = "needs", request_body = Nothing, responses((status = 200, body = Stands)))]
#[post("/needs/{id}/withdraw")]
async fn withdraw(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        answers::withdraw(&state, txn, &actor, *id).await.map(Stands::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Dispute {
    /// Whoever recorded it and staff read it.
    #[garde(custom(text::paragraph(500)))]
    reason: String,
}

/// Say that a need that somebody recorded in one's name is not one's own
///
/// It is taken back; where a topic or a project has taken it up, it stands without the name.
#[utoipa::path(tag = "needs", request_body = Dispute, responses((status = 200, body = Stands)))]
#[post("/needs/{id}/dispute")]
async fn dispute(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<Dispute>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        answers::dispute(&state, txn, &actor, *id, request.input.reason.trim()).await.map(Stands::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewComplaint {
    #[garde(custom(text::paragraph(2000)))]
    body: String,
}

/// A complaint that was taken.
#[derive(Serialize, ToSchema)]
struct Complained {
    id: ComplaintId,
}

/// Complain about how a need is dealt with; staff of its place and above read it
#[utoipa::path(tag = "needs", request_body = NewComplaint, responses((status = 201, body = Complained)))]
#[post("/needs/{id}/complaints")]
async fn complain(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<NewComplaint>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = service::find(txn, &actor, *id).await?;
        let place = (row.community_id, row.place_path.as_str());
        let id = moderation::complain_of_need(&state, txn, &actor, row.id, place, request.input.body.trim()).await?;
        Ok(Complained { id })
    })
    .await
}

/// One thing that happened to a need.
#[derive(Serialize, ToSchema)]
struct StepView {
    at: DateTime<Utc>,
    /// `submitted`, `published`, what happened to the need, `project.` and the project's step, or the kind of a notice.
    kind: String,
    /// Chinese.
    title: String,
    text: Option<String>,
    /// `need`, `topic`, `project` or `notice`, with `related_id`.
    related_kind: Option<&'static str>,
    related_id: Option<Uuid>,
}

/// A need's way.
#[derive(Serialize, ToSchema)]
struct Timeline {
    /// Oldest first.
    items: Vec<StepView>,
}

/// What became of a need, from being said to the rating of what was done
#[utoipa::path(tag = "needs", responses((status = 200, body = Timeline)))]
#[get("/needs/{id}/timeline")]
async fn read_timeline(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
) -> Result<web::Json<Timeline>, Problem> {
    let row = service::find(state.db.read(), &actor, *id).await?;
    let steps = timeline::of(state.db.read(), &row).await?.into_iter().map(|step| {
        let (related_kind, related_id) = step.related.unzip();
        StepView { at: step.at, kind: step.kind, title: step.title, text: step.text, related_kind, related_id }
    });
    Ok(web::Json(Timeline { items: steps.collect() }))
}

/// Somebody without an account for whom a need was recorded, in full.
#[derive(Serialize, ToSchema)]
struct SubjectView {
    name: String,
    contact: Option<String>,
}

/// Whose need it is, in full, for whoever recorded it and staff; each reading is in the audit log
#[utoipa::path(tag = "needs", responses((status = 200, body = SubjectView)))]
#[get("/needs/{id}/subject")]
async fn subject(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
) -> Result<web::Json<SubjectView>, Problem> {
    let stored = transact(&state, async |txn| {
        let row = service::find(txn, &actor, *id).await?;
        submitting::reveal(&state, txn, &actor, &row).await
    })
    .await?;
    Ok(web::Json(SubjectView { name: stored.name, contact: stored.contact }))
}
