use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{OperatorAdmissionId, OperatorRoundId, OrganisationId, PlaceId};
use entities::organisations::{AdmissionState, operator_admission, operator_round};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission};
use crate::organisations::service::pool::{self, NewRound};
use crate::places::{self, within};
use crate::platform::http::{Caller, Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(announce).service(apply).service(pool_of).service(decide);
}

/// A round by which operators come into the pool.
#[derive(Serialize, ToSchema)]
struct OperatorRoundView {
    id: OperatorRoundId,
    place_id: PlaceId,
    title: String,
    criteria: String,
    /// Applications are taken from here …
    opens_at: DateTime<Utc>,
    /// … until just before here.
    closes_at: DateTime<Utc>,
    /// Who is admitted is in the pool from here …
    valid_from: DateTime<Utc>,
    /// … until just before here.
    valid_until: DateTime<Utc>,
}

impl From<operator_round::Model> for OperatorRoundView {
    fn from(row: operator_round::Model) -> Self {
        let operator_round::Model {
            id, place_id, title, criteria, opens_at, closes_at, valid_from, valid_until, ..
        } = row;
        Self { id, place_id, title, criteria, opens_at, closes_at, valid_from, valid_until }
    }
}

/// The rounds at and below a place, newest first
#[utoipa::path(tag = "platforms", params(places::ListParams), responses((status = 200, body = Page<OperatorRoundView>)))]
#[get("/operator-rounds")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<OperatorRoundView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let there = operator_round::Entity::find().filter(within(operator_round::Column::PlacePath, &place.path));
    let rows = paging.apply(there, operator_round::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, OperatorRoundView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOperatorRound {
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(custom(text::paragraph(2000)))]
    criteria: String,
    #[garde(skip)]
    opens_at: DateTime<Utc>,
    #[garde(skip)]
    closes_at: DateTime<Utc>,
    #[garde(skip)]
    valid_from: DateTime<Utc>,
    #[garde(skip)]
    valid_until: DateTime<Utc>,
}

/// Announce a round, as staff of its place
#[utoipa::path(tag = "platforms", request_body = NewOperatorRound, responses((status = 201, body = OperatorRoundView)))]
#[post("/operator-rounds")]
async fn announce(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewOperatorRound>,
) -> Result<Outcome, Problem> {
    let NewOperatorRound { place_id, title, criteria, opens_at, closes_at, valid_from, valid_until } = &request.input;
    let new = NewRound {
        place_id: *place_id,
        title,
        criteria,
        applications: (*opens_at, *closes_at),
        validity: (*valid_from, *valid_until),
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        pool::announce(&state, txn, &actor, &new).await.map(OperatorRoundView::from)
    })
    .await
}

/// An organisation in a round.
#[derive(Serialize, ToSchema)]
struct AdmissionView {
    id: OperatorAdmissionId,
    round_id: OperatorRoundId,
    organisation_id: OrganisationId,
    state: AdmissionState,
    applied_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    reason: Option<String>,
}

impl From<operator_admission::Model> for AdmissionView {
    fn from(row: operator_admission::Model) -> Self {
        let operator_admission::Model { id, round_id, organisation_id, state, applied_at, decided_at, reason, .. } =
            row;
        Self { id, round_id, organisation_id, state, applied_at, decided_at, reason }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct NewAdmission {
    /// One that the caller belongs to.
    organisation_id: OrganisationId,
}

/// Apply for an organisation, as one of its people
#[utoipa::path(tag = "platforms", request_body = NewAdmission, responses((status = 201, body = AdmissionView)))]
#[post("/operator-rounds/{id}/applications")]
async fn apply(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OperatorRoundId>,
    request: Command<NewAdmission>,
) -> Result<Outcome, Problem> {
    let organisation = request.input.organisation_id;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        pool::apply(&state, txn, &actor, *id, organisation).await.map(AdmissionView::from)
    })
    .await
}

/// Who is in the pool by a round; staff of its place see all who applied
#[utoipa::path(tag = "platforms", params(PageParams), responses((status = 200, body = Page<AdmissionView>)))]
#[get("/operator-rounds/{id}/pool")]
async fn pool_of(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OperatorRoundId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<AdmissionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let round = pool::find(state.db.read(), *id).await?;
    let mut rows = operator_admission::Entity::find().filter(operator_admission::Column::RoundId.eq(*id));
    if !actor.may(Permission::ManageProjects, &round.place_path) {
        rows = rows.filter(operator_admission::Column::State.eq(AdmissionState::Admitted));
    }
    let rows = paging.apply(rows, operator_admission::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, AdmissionView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// `admitted` or `refused`; later `removed`.
    #[garde(skip)]
    state: AdmissionState,
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Admit, refuse or remove, as staff of the round's place who is not tied to the organisation
#[utoipa::path(tag = "platforms", request_body = Decision, responses((status = 200, body = AdmissionView)))]
#[post("/operator-admissions/{id}/decisions")]
async fn decide(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OperatorAdmissionId>,
    request: Command<Decision>,
) -> Result<Outcome, Problem> {
    let Decision { state: to, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        pool::decide(&state, txn, &actor, *id, (*to, reason)).await.map(AdmissionView::from)
    })
    .await
}
