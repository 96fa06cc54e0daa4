use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, post, web};
use chrono::NaiveDate;
use entities::ids::{OrganisationId, QualificationId};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::record::{QualificationView, qualification_view};
use crate::identity::Actor;
use crate::organisations::service::register::{self, Certified};
use crate::platform::http::{Command, Outcome, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(qualify).service(disqualify);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewQualification {
    #[garde(custom(text::line(60)))]
    name: String,
    #[garde(custom(text::line(60)))]
    issuer: String,
    #[garde(custom(text::line(60)))]
    number: String,
    /// Its last day; none if it does not run out.
    #[garde(skip)]
    expires_on: Option<NaiveDate>,
}

/// Add what somebody certified, as its head or as staff; thirty days before it runs out the heads are told
#[utoipa::path(tag = "organisations", request_body = NewQualification, responses((status = 201, body = QualificationView)))]
#[post("/organisations/{id}/qualifications")]
async fn qualify(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
    request: Command<NewQualification>,
) -> Result<Outcome, Problem> {
    let NewQualification { name, issuer, number, expires_on } = &request.input;
    let new = Certified { name, issuer, number, expires_on: *expires_on };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = register::qualify(&state, txn, &actor, *id, &new).await?;
        Ok(qualification_view(row, state.clock.now()))
    })
    .await
}

/// Take a qualification off
#[utoipa::path(tag = "organisations", responses((status = 204)))]
#[delete("/organisations/{id}/qualifications/{qualification_id}")]
async fn disqualify(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(OrganisationId, QualificationId)>,
) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| register::disqualify(&state, txn, &actor, *ids).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
