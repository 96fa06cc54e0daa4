use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{ConflictId, OrganisationId};
use entities::organisations::{ConflictKind, conflict};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::organisations::service::conflicts;
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(declare).service(mine).service(end);
}

/// What ties the caller to an organisation.
#[derive(Serialize, ToSchema)]
struct ConflictView {
    id: ConflictId,
    organisation_id: OrganisationId,
    kind: ConflictKind,
    declared_at: DateTime<Utc>,
    /// Counts for twelve months after.
    ended_at: Option<DateTime<Utc>>,
}

impl From<conflict::Model> for ConflictView {
    fn from(row: conflict::Model) -> Self {
        let conflict::Model { id, organisation_id, kind, declared_at, ended_at, .. } = row;
        Self { id, organisation_id, kind, declared_at, ended_at }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct NewConflict {
    organisation_id: OrganisationId,
    /// Family there, work for it, money from or in it, a dispute with it, or something else.
    kind: ConflictKind,
}

/// Declare an interest in an organisation: one does not judge it then
#[utoipa::path(tag = "organisations", request_body = NewConflict, responses((status = 201, body = ConflictView)))]
#[post("/me/conflicts")]
async fn declare(state: web::Data<AppState>, actor: Actor, request: Command<NewConflict>) -> Result<Outcome, Problem> {
    let NewConflict { organisation_id, kind } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        conflicts::declare(&state, txn, &actor, *organisation_id, *kind).await.map(ConflictView::from)
    })
    .await
}

/// One's own declarations, newest first
#[utoipa::path(tag = "organisations", params(PageParams), responses((status = 200, body = Page<ConflictView>)))]
#[get("/me/conflicts")]
async fn mine(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ConflictView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let own = conflict::Entity::find().filter(conflict::Column::UserId.eq(actor.user_id));
    let rows = paging.apply(own, conflict::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, ConflictView::from)))
}

/// Say that an interest is over; it counts for twelve months more
#[utoipa::path(tag = "organisations", responses((status = 204)))]
#[delete("/me/conflicts/{id}")]
async fn end(state: web::Data<AppState>, actor: Actor, id: web::Path<ConflictId>) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| conflicts::end(&state, txn, &actor, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
