use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{delete, get, post, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, ShiftId, SignupId, StandInId, SwapId, TeamId, UserId};
use entities::volunteering::{StandInState, SwapState, activity, shift, signup, stand_in, swap};
use garde::Validate;
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::signups::SignupView;
use crate::identity::{Actor, masked_name};
use crate::platform::code::Code;
use crate::platform::http::{
    Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, transact,
};
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::service::{find_shift, stand_ins, swaps};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(ask)
        .service(open_stand_ins)
        .service(take)
        .service(withdraw)
        .service(colleagues)
        .service(propose)
        .service(my_swaps)
        .service(accept)
        .service(end_swap);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStandIn {
    /// Whom one hopes for; only they can take it then. Without it, whoever comes first.
    #[garde(skip)]
    user_id: Option<UserId>,
}

/// A request that somebody takes a seat.
#[derive(Serialize, ToSchema)]
struct StandInView {
    id: StandInId,
    state: StandInState,
    signup_id: SignupId,
    shift_id: ShiftId,
    starts_at: DateTime<Utc>,
}

impl From<stand_in::Model> for StandInView {
    fn from(row: stand_in::Model) -> Self {
        let stand_in::Model { id, state, signup_id, shift_id, starts_at, .. } = row;
        Self { id, state, signup_id, shift_id, starts_at }
    }
}

/// Ask somebody to take one's seat, when it is too late to step back or at any time before
///
/// The seat stays one's own until somebody takes it; the request ends when the shift begins. The named person is told, else
/// the shift's team and those who wait for a seat.
#[utoipa::path(tag = "volunteering", request_body = NewStandIn, responses((status = 201, body = StandInView)))]
#[post("/signups/{id}/stand-in")]
async fn ask(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<NewStandIn>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        stand_ins::ask(&state, txn, &actor, *id, request.input.user_id).await.map(StandInView::from)
    })
    .await
}

/// A seat that wants somebody.
#[derive(Serialize, ToSchema)]
struct OpenStandIn {
    id: StandInId,
    /// Who cannot come, masked.
    name: String,
    /// Whether one asked for it oneself.
    mine: bool,
    shift_id: ShiftId,
    activity_id: Option<ActivityId>,
    /// The activity's.
    title: String,
    starts_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    team_id: Option<TeamId>,
    skill: Option<String>,
}

/// Seats in one's community that want somebody, newest first
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<OpenStandIn>)))]
#[get("/stand-ins")]
async fn open_stand_ins(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<OpenStandIn>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let community = actor.require_verified(connection).await?.community_id;
    let for_me = Condition::any()
        .add(stand_in::Column::NamedId.is_null())
        .add(stand_in::Column::NamedId.eq(actor.user_id))
        .add(stand_in::Column::UserId.eq(actor.user_id));
    let open = stand_in::Entity::find()
        .filter(stand_in::Column::CommunityId.eq(community))
        .filter(stand_in::Column::State.eq(StandInState::Open))
        .filter(stand_in::Column::StartsAt.gt(state.clock.now()))
        .filter(for_me);
    let rows = paging.apply(open, stand_in::Column::Id).all(connection).await?;
    let names = names(&state, rows.iter().map(|row| row.user_id)).await?;
    let shifts = shift::Entity::find().filter(shift::Column::Id.is_in(rows.iter().map(|row| row.shift_id)));
    let mut shifts: HashMap<ShiftId, shift::Model> =
        shifts.all(connection).await?.into_iter().map(|row| (row.id, row)).collect();
    let activities = shifts.values().map(|row| row.activity_id);
    let activities = activity::Entity::find().filter(activity::Column::Id.is_in(activities)).all(connection).await?;
    let titles: HashMap<ActivityId, String> = activities.into_iter().map(|row| (row.id, row.title)).collect();
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let shift = shifts.get_mut(&row.shift_id);
            let activity_id = shift.as_ref().map(|shift| shift.activity_id);
            OpenStandIn {
                id: row.id,
                name: names.get(&row.user_id).cloned().unwrap_or_default(),
                mine: row.user_id == actor.user_id,
                shift_id: row.shift_id,
                activity_id,
                title: activity_id.and_then(|id| titles.get(&id).cloned()).unwrap_or_default(),
                starts_at: row.starts_at,
                ends_at: shift.as_ref().map(|shift| shift.ends_at),
                team_id: shift.as_ref().and_then(|shift| shift.team_id),
                skill: shift.and_then(|shift| shift.skill.clone()),
            }
        },
    )))
}

async fn names(state: &AppState, people: impl IntoIterator<Item = UserId>) -> Result<HashMap<UserId, String>, Problem> {
    let rows = user::Entity::find().filter(user::Column::Id.is_in(people)).all(state.db.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect())
}

/// Stand in: the seat is one's own from now on, and whoever asked is free
///
/// 409 `request_ended` if somebody else was first; and whatever refuses a sign-up.
#[utoipa::path(tag = "volunteering", responses((status = 200, body = SignupView)))]
#[post("/stand-ins/{id}/accept")]
async fn take(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<StandInId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        stand_ins::accept(&state, txn, &actor, *id).await.map(SignupView::from)
    })
    .await
}

/// Take a request for a stand-in back
#[utoipa::path(tag = "volunteering", responses((status = 200, body = StandInView)))]
#[delete("/stand-ins/{id}")]
async fn withdraw(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<StandInId>,
) -> Result<web::Json<StandInView>, Problem> {
    let row = transact(&state, async |txn| stand_ins::withdraw(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(row.into()))
}

/// Somebody with a seat.
#[derive(Serialize, ToSchema)]
struct Colleague {
    signup_id: SignupId,
    /// Masked.
    name: String,
}

/// Who has a seat in a shift, for whoever could swap: those with a seat in a coming shift of the same activity
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<Colleague>)))]
#[get("/shifts/{id}/colleagues")]
async fn colleagues(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ShiftId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<Colleague>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let shift = find_shift(connection, *id).await?;
    let coming = signup::Entity::find()
        .filter(signup::Column::UserId.eq(caller.user_id))
        .filter(signup::Column::EndsAt.gt(state.clock.now()))
        .filter(signup::Column::State.eq(SignupState::Confirmed))
        .all(connection)
        .await?;
    let of_activity = shift::Entity::find()
        .filter(shift::Column::Id.is_in(coming.iter().map(|row| row.shift_id)))
        .filter(shift::Column::ActivityId.eq(shift.activity_id));
    if of_activity.count(connection).await? == 0 {
        return Err(Code::Forbidden.into());
    }
    let seated = signup::Entity::find()
        .filter(signup::Column::ShiftId.eq(shift.id))
        .filter(signup::Column::State.eq(SignupState::Confirmed))
        .filter(signup::Column::UserId.ne(caller.user_id));
    let rows = paging.apply(seated, signup::Column::Id).all(connection).await?;
    let names = names(&state, rows.iter().map(|row| row.user_id)).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| Colleague { signup_id: row.id, name: names.get(&row.user_id).cloned().unwrap_or_default() },
    )))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSwap {
    /// Somebody else's seat in another shift; see `GET /shifts/{id}/colleagues`.
    #[garde(skip)]
    with_signup_id: SignupId,
}

/// An offer to exchange two seats.
#[derive(Serialize, ToSchema)]
struct SwapView {
    id: SwapId,
    state: SwapState,
    /// Whether one made the offer oneself.
    mine: bool,
    /// Of whoever made the offer.
    signup_id: SignupId,
    /// Of whoever answers it.
    with_signup_id: SignupId,
    /// When it ends by itself: with the earlier shift's beginning.
    starts_at: DateTime<Utc>,
}

impl SwapView {
    fn new(row: swap::Model, person: UserId) -> Self {
        let swap::Model { id, state, user_id, signup_id, with_signup_id, starts_at, .. } = row;
        Self { id, state, mine: user_id == person, signup_id, with_signup_id, starts_at }
    }
}

/// Offer one's seat for somebody else's
#[utoipa::path(tag = "volunteering", request_body = NewSwap, responses((status = 201, body = SwapView)))]
#[post("/signups/{id}/swaps")]
async fn propose(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<NewSwap>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = swaps::propose(&state, txn, &actor, *id, request.input.with_signup_id).await?;
        Ok(SwapView::new(row, actor.user_id))
    })
    .await
}

/// Offers to swap that one made or got, newest first
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<SwapView>)))]
#[get("/me/swaps")]
async fn my_swaps(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<PageParams>,
) -> Result<web::Json<Page<SwapView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let person = caller.user_id;
    let both = Condition::any().add(swap::Column::UserId.eq(person)).add(swap::Column::WithUserId.eq(person));
    let rows = paging.apply(swap::Entity::find().filter(both), swap::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, |row| SwapView::new(row, person))))
}

/// Accept an offer to swap: both seats change hands, or nothing happens
///
/// Both people must meet every rule after it: otherwise 409 with the rule's code.
#[utoipa::path(tag = "volunteering", responses((status = 200, body = SwapView)))]
#[post("/swaps/{id}/accept")]
async fn accept(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SwapId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        swaps::accept(&state, txn, &actor, *id).await.map(|row| SwapView::new(row, actor.user_id))
    })
    .await
}

/// Decline an offer that one got, or take one back that one made
#[utoipa::path(tag = "volunteering", responses((status = 200, body = SwapView)))]
#[delete("/swaps/{id}")]
async fn end_swap(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SwapId>,
) -> Result<web::Json<SwapView>, Problem> {
    let row = transact(&state, async |txn| swaps::end(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(SwapView::new(row, actor.user_id)))
}
