use actix_web::http::StatusCode;
use actix_web::{post, web};
use entities::ids::{CaseId, ProjectId};
use entities::needs::NeedCategory;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::cases::{self, NewCase};
use crate::delivery::service;
use crate::identity::Actor;
use crate::platform::http::{Command, Outcome, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(open);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CaseInput {
    #[garde(skip)]
    category: NeedCategory,
    /// Whom it is about, and how to reach them; kept encrypted.
    #[garde(custom(text::line(60)))]
    subject: String,
    /// What the trouble is; kept encrypted.
    #[garde(custom(text::paragraph(5000)))]
    summary: String,
}

/// That a case was opened. Who does not handle it gets 404 for it.
#[derive(Serialize, ToSchema)]
struct Opened {
    case_id: CaseId,
}

/// Open a case file in a running project; for the implementer. Only its handlers read it, and the project counts it
#[utoipa::path(tag = "delivery", request_body = CaseInput, responses((status = 201, body = Opened)))]
#[post("/projects/{id}/cases")]
async fn open(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<CaseInput>,
) -> Result<Outcome, Problem> {
    let CaseInput { category, subject, summary } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let project = service::lock_running(txn, &actor, *id, |is| is.implementer).await?;
        let new = NewCase { place_id: project.place_id, category: *category, subject, summary, voice: None };
        let case_id = cases::open_for_project(&state, txn, actor.user_id, *id, &new).await?;
        Ok(Opened { case_id })
    })
    .await
}
