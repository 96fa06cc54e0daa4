use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, post, web};
use chrono::{DateTime, Utc};
use entities::identity::grant;
use entities::ids::{GrantId, PlaceId, UserId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::service;
use crate::identity::{Actor, Role};
use crate::platform::http::{Command, Outcome, Problem, command, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(give).service(take_back);
}

/// A role at a place.
#[derive(Serialize, ToSchema)]
pub(super) struct GrantView {
    id: GrantId,
    role: Role,
    place_id: PlaceId,
    until: Option<DateTime<Utc>>,
}

impl From<&grant::Model> for GrantView {
    fn from(row: &grant::Model) -> Self {
        Self { id: row.id, role: row.role, place_id: row.place_id, until: row.until }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewGrant {
    #[garde(skip)]
    user_id: UserId,
    #[garde(skip)]
    role: Role,
    #[garde(skip)]
    place_id: PlaceId,
    /// Without it the grant has no end.
    #[garde(skip)]
    until: Option<DateTime<Utc>>,
}

/// Give somebody a role at a place; nobody gives more than they hold
#[utoipa::path(tag = "identity", request_body = NewGrant, responses((status = 201, body = GrantView)))]
#[post("/grants")]
async fn give(state: web::Data<AppState>, actor: Actor, request: Command<NewGrant>) -> Result<Outcome, Problem> {
    let NewGrant { user_id, role, place_id, until } = request.input;
    let outcome = command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::give(&state, txn, &actor, user_id, role, place_id, until).await.map(|row| GrantView::from(&row))
    })
    .await?;
    state.grants.invalidate(&user_id);
    Ok(outcome)
}

/// Take a role back
#[utoipa::path(tag = "identity", responses((status = 204)))]
#[delete("/grants/{id}")]
async fn take_back(state: web::Data<AppState>, actor: Actor, id: web::Path<GrantId>) -> Result<HttpResponse, Problem> {
    let whose = transact(&state, async |txn| service::take_back(&state, txn, &actor, *id).await).await?;
    state.grants.invalidate(&whose);
    Ok(HttpResponse::NoContent().finish())
}
