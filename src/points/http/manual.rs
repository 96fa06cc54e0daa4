use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{AwardId, PlaceId, UserId};
use entities::points::AwardState;
use entities::points::award::{self, Model};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission, masked_name};
use crate::places;
use crate::platform::http::{Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::points::service::manual as service;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(ask).service(list).service(approve).service(reject);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAward {
    /// A verified resident of one's place.
    #[garde(skip)]
    user_id: UserId,
    #[garde(range(min = 1, max = service::PER_CALL))]
    amount: i64,
    /// The person reads it.
    #[garde(custom(text::line(100)))]
    reason: String,
}

/// Points given by hand.
#[derive(Serialize, ToSchema)]
pub(super) struct AwardView {
    id: AwardId,
    user_id: UserId,
    amount: i64,
    reason: String,
    /// `pending` waits for a second person.
    state: AwardState,
}

impl From<Model> for AwardView {
    fn from(row: Model) -> Self {
        let Model { id, user_id, amount, reason, state, .. } = row;
        Self { id, user_id, amount, reason, state }
    }
}

/// Award points by hand to a verified resident of one's place
///
/// At most 100 a call, and 5,000 a day (in China) and member of staff: 409 `award_limit`. More than the community's limit
/// (`award_second_person_above`) is `pending` until a second person approves it.
#[utoipa::path(tag = "points", request_body = NewAward, responses((status = 201, body = AwardView)))]
#[post("/points/awards")]
async fn ask(state: web::Data<AppState>, actor: Actor, request: Command<NewAward>) -> Result<Outcome, Problem> {
    let NewAward { user_id, amount, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::ask(&state, txn, &actor, *user_id, *amount, reason.trim()).await.map(AwardView::from)
    })
    .await
}

/// Points given by hand, as staff see them.
#[derive(Serialize, ToSchema)]
struct AwardLine {
    #[serde(flatten)]
    award: AwardView,
    /// Masked, like the other names.
    name: String,
    asked_by: String,
    asked_at: DateTime<Utc>,
    /// Whether the caller may approve or reject it: it waits, and is neither by nor for them.
    may_decide: bool,
    decided_by: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    reject_reason: Option<String>,
    reversed_by: Option<String>,
    reversed_at: Option<DateTime<Utc>>,
    reverse_reason: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AwardParams {
    /// This place and those below it.
    place_id: PlaceId,
    /// `pending` without it.
    state: Option<AwardState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Awards by hand in a place, for its staff
#[utoipa::path(tag = "points", params(AwardParams), responses((status = 200, body = Page<AwardLine>)))]
#[get("/points/awards")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<AwardParams>,
) -> Result<web::Json<Page<AwardLine>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let connection = state.db.read();
    let place = places::named(connection, params.place_id, "?place_id").await?;
    actor.require(Permission::AwardPoints, &place.path)?;
    let found = award::Entity::find()
        .filter(places::listed_in(&place, award::Column::CommunityId, award::Column::PlacePath))
        .filter(award::Column::State.eq(params.state.unwrap_or(AwardState::Pending)));
    let rows = paging.apply(found, award::Column::Id).all(connection).await?;
    let people = rows
        .iter()
        .flat_map(|row| [Some(row.user_id), Some(row.asked_by), row.decided_by, row.reversed_by].into_iter().flatten());
    let people = user::Entity::find().filter(user::Column::Id.is_in(people)).all(connection).await?;
    let name = |id: UserId| {
        people.iter().find(|person| person.id == id).map(|person| masked_name(&person.nickname)).unwrap_or_default()
    };
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| AwardLine {
            name: name(row.user_id),
            asked_by: name(row.asked_by),
            asked_at: row.asked_at,
            may_decide: row.state == AwardState::Pending && ![row.user_id, row.asked_by].contains(&actor.user_id),
            decided_by: row.decided_by.map(name),
            decided_at: row.decided_at,
            reject_reason: row.reject_reason.clone(),
            reversed_by: row.reversed_by.map(name),
            reversed_at: row.reversed_at,
            reverse_reason: row.reverse_reason.clone(),
            award: row.into(),
        },
    )))
}

/// Approve an award that waits, as a second person: neither who asked for it nor who gets it
#[utoipa::path(tag = "points", responses((status = 200, body = AwardView)))]
#[post("/points/awards/{id}/approve")]
async fn approve(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<AwardId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::decide(&state, txn, &actor, *id, None).await.map(AwardView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    /// The person concerned reads it.
    #[garde(custom(text::line(100)))]
    pub reason: String,
}

/// Refuse an award that waits; who asked for it reads why
#[utoipa::path(tag = "points", request_body = Because, responses((status = 200, body = AwardView)))]
#[post("/points/awards/{id}/reject")]
async fn reject(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<AwardId>,
    request: Command<Because>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::decide(&state, txn, &actor, *id, Some(request.input.reason.trim())).await.map(AwardView::from)
    })
    .await
}
