use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{IncubationId, OrganisationId, PlatformId, RoomId};
use entities::organisations::{IncubationKind, IncubationState, incubation, room};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::organisations::service::incubation::{self as service, Wish};
use crate::organisations::service::{people, platforms};
use crate::platform::http::{Caller, Command, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

/// So many rooms of a platform, and bookings of a room to come, are shown.
const SHOWN: u64 = 200;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(add_room).service(rooms).service(bookings).service(ask).service(list).service(answer);
}

/// A room that organisations book.
#[derive(Serialize, ToSchema)]
struct RoomView {
    id: RoomId,
    name: String,
    seats: i64,
}

impl From<room::Model> for RoomView {
    fn from(row: room::Model) -> Self {
        Self { id: row.id, name: row.name, seats: row.seats }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    #[garde(custom(text::line(40)))]
    name: String,
    #[garde(range(min = 1, max = 10_000))]
    seats: i64,
}

/// Add a room, as staff of the platform's place
#[utoipa::path(tag = "platforms", request_body = NewRoom, responses((status = 201, body = RoomView)))]
#[post("/platforms/{id}/rooms")]
async fn add_room(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlatformId>,
    request: Command<NewRoom>,
) -> Result<Outcome, Problem> {
    let NewRoom { name, seats } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::add_room(&state, txn, &actor, *id, (name, *seats)).await.map(RoomView::from)
    })
    .await
}

/// The rooms of a platform
#[utoipa::path(tag = "platforms", responses((status = 200, body = [RoomView])))]
#[get("/platforms/{id}/rooms")]
async fn rooms(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<PlatformId>,
) -> Result<web::Json<Vec<RoomView>>, Problem> {
    platforms::find(state.db.read(), *id).await?;
    let rows = room::Entity::find().filter(room::Column::PlatformId.eq(*id));
    let rows = rows.order_by_asc(room::Column::Name).limit(SHOWN).all(state.db.read()).await?;
    Ok(web::Json(rows.into_iter().map(RoomView::from).collect()))
}

/// When a room is taken.
#[derive(Serialize, ToSchema)]
struct Booking {
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    organisation_id: OrganisationId,
}

/// When a room is taken from now on
#[utoipa::path(tag = "platforms", responses((status = 200, body = [Booking])))]
#[get("/platform-rooms/{id}/bookings")]
async fn bookings(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<RoomId>,
) -> Result<web::Json<Vec<Booking>>, Problem> {
    let taken = incubation::Entity::find()
        .filter(incubation::Column::RoomId.eq(*id))
        .filter(incubation::Column::EndsAt.gt(state.clock.now()))
        .filter(incubation::Column::State.eq(IncubationState::Accepted))
        .order_by_asc(incubation::Column::StartsAt)
        .limit(SHOWN)
        .all(state.db.read())
        .await?;
    let bookings = taken.into_iter().filter_map(|row| {
        let (starts_at, ends_at) = row.starts_at.zip(row.ends_at)?;
        Some(Booking { starts_at, ends_at, organisation_id: row.organisation_id })
    });
    Ok(web::Json(bookings.collect()))
}

/// A wish for registration help, tutoring or a room.
#[derive(Serialize, ToSchema)]
struct IncubationView {
    id: IncubationId,
    platform_id: PlatformId,
    organisation_id: OrganisationId,
    kind: IncubationKind,
    state: IncubationState,
    wish: String,
    room_id: Option<RoomId>,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    requested_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    answer: Option<String>,
}

impl From<incubation::Model> for IncubationView {
    fn from(row: incubation::Model) -> Self {
        Self {
            id: row.id,
            platform_id: row.platform_id,
            organisation_id: row.organisation_id,
            kind: row.kind,
            state: row.state,
            wish: row.wish,
            room_id: row.room_id,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            requested_at: row.requested_at,
            decided_at: row.decided_at,
            answer: row.answer,
        }
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWish {
    /// One that the caller belongs to.
    #[garde(skip)]
    organisation_id: OrganisationId,
    #[garde(skip)]
    kind: IncubationKind,
    #[garde(custom(text::paragraph(1000)))]
    wish: String,
    /// For a room: which.
    #[garde(skip)]
    room_id: Option<RoomId>,
    /// For a room: from when …
    #[garde(skip)]
    starts_at: Option<DateTime<Utc>>,
    /// … until just before when.
    #[garde(skip)]
    ends_at: Option<DateTime<Utc>>,
}

/// Ask a platform for help or a room, as one of an organisation's people
#[utoipa::path(tag = "platforms", request_body = NewWish, responses((status = 201, body = IncubationView)))]
#[post("/platforms/{id}/incubation-requests")]
async fn ask(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlatformId>,
    request: Command<NewWish>,
) -> Result<Outcome, Problem> {
    let NewWish { organisation_id, kind, wish, room_id, starts_at, ends_at } = &request.input;
    let space = match (room_id, starts_at, ends_at) {
        (None, None, None) => None,
        (Some(room), Some(from), Some(until)) => Some((*room, *from, *until)),
        (None, ..) => return Err(Problem::field("/room_id", "须指明空间 / name the room")),
        (_, None, _) => return Err(Problem::field("/starts_at", "须指明时间 / name the time")),
        (_, _, None) => return Err(Problem::field("/ends_at", "须指明时间 / name the time")),
    };
    let wish = Wish { organisation_id: *organisation_id, kind: *kind, words: wish, space };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::ask(&state, txn, &actor, *id, &wish).await.map(IncubationView::from)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WishParams {
    /// Of this organisation, for its people; without it all of the platform, for its staff.
    organisation_id: Option<OrganisationId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// What was asked of a platform, newest first
#[utoipa::path(tag = "platforms", params(WishParams), responses((status = 200, body = Page<IncubationView>)))]
#[get("/platforms/{id}/incubation-requests")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PlatformId>,
    params: Params<WishParams>,
) -> Result<web::Json<Page<IncubationView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let platform = platforms::find(connection, *id).await?;
    let mut rows = incubation::Entity::find().filter(incubation::Column::PlatformId.eq(*id));
    if let Some(organisation) = params.organisation_id {
        if platforms::runs(&actor, &platform).is_err() {
            people::require_insight(connection, &actor, organisation).await?;
        }
        rows = rows.filter(incubation::Column::OrganisationId.eq(organisation));
    } else {
        platforms::runs(&actor, &platform)?;
    }
    let rows = paging.apply(rows, incubation::Column::Id).all(connection).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, IncubationView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct WishAnswer {
    /// `accepted`, `declined` or `done` by staff; `withdrawn` by the organisation.
    #[garde(skip)]
    state: IncubationState,
    #[garde(custom(text::optional_line(500)))]
    words: Option<String>,
}

/// Answer a wish: 409 `room_taken` if an accepted booking of the room overlaps it
#[utoipa::path(tag = "platforms", request_body = WishAnswer, responses((status = 200, body = IncubationView)))]
#[post("/incubation-requests/{id}/answers")]
async fn answer(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<IncubationId>,
    request: Command<WishAnswer>,
) -> Result<Outcome, Problem> {
    let WishAnswer { state: to, words } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::answer(&state, txn, &actor, *id, (*to, words.as_deref())).await.map(IncubationView::from)
    })
    .await
}
