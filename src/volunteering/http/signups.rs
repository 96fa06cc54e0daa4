use std::collections::HashMap;

use actix_web::{delete, get, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, ShiftId, SignupId, UserId};
use entities::volunteering::{activity, shift, signup};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, masked_name};
use crate::platform::code::Code;
use crate::platform::http::{Body, Caller, Nothing, Page, PageParams, Paging, Params, Problem, transact};
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::service::{find_shift, in_charge, seats};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(sign_up).service(cancel).service(of_shift).service(mine);
}

/// Where a sign-up stands.
#[derive(Serialize, ToSchema)]
pub(super) struct SignupView {
    id: SignupId,
    state: SignupState,
    /// Until when an offered seat waits to be taken.
    offer_expires_at: Option<DateTime<Utc>>,
}

impl From<signup::Model> for SignupView {
    fn from(row: signup::Model) -> Self {
        Self { id: row.id, state: row.state, offer_expires_at: row.offer_expires_at }
    }
}

/// Sign up for a shift, or take the seat that one is offered
///
/// Gives a seat (`confirmed`) or a place in the waiting list (`waitlisted`). Repeated, it answers the same sign-up.
#[utoipa::path(tag = "volunteering", responses((status = 200, body = SignupView)))]
#[put("/shifts/{id}/signup")]
async fn sign_up(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    _: Body<Nothing>,
) -> Result<web::Json<SignupView>, Problem> {
    let row = transact(&state, async |txn| seats::sign_up(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(row.into()))
}

/// Step back from a shift before it begins; the seat goes to the next who waits
#[utoipa::path(tag = "volunteering", responses((status = 200, body = SignupView)))]
#[delete("/shifts/{id}/signup")]
async fn cancel(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
) -> Result<web::Json<SignupView>, Problem> {
    let row = transact(&state, async |txn| seats::cancel(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(row.into()))
}

/// A sign-up as the shift's leader sees it.
#[derive(Serialize, ToSchema)]
struct RosterEntry {
    id: SignupId,
    user_id: UserId,
    /// Masked.
    name: String,
    state: SignupState,
    /// The waiting list is in this order.
    queued_at: DateTime<Utc>,
    offer_expires_at: Option<DateTime<Utc>>,
    checked_in_at: Option<DateTime<Utc>>,
    checked_out_at: Option<DateTime<Utc>>,
    minutes: Option<i64>,
    points: Option<i64>,
}

/// A shift's sign-ups, newest first, for its leader and staff
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<RosterEntry>)))]
#[get("/shifts/{id}/signups")]
async fn of_shift(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<RosterEntry>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let shift = find_shift(state.db.read(), *id).await?;
    if !in_charge(&actor, &shift) {
        return Err(Code::Forbidden.into());
    }
    let all = signup::Entity::find().filter(signup::Column::ShiftId.eq(shift.id));
    let rows = paging.apply(all, signup::Column::Id).all(state.db.read()).await?;
    let people = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)));
    let names: HashMap<UserId, String> =
        people.all(state.db.read()).await?.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect();
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| RosterEntry {
            id: row.id,
            user_id: row.user_id,
            name: names.get(&row.user_id).cloned().unwrap_or_default(),
            state: row.state,
            queued_at: row.queued_at,
            offer_expires_at: row.offer_expires_at,
            checked_in_at: row.checked_in_at,
            checked_out_at: row.checked_out_at,
            minutes: row.minutes,
            points: row.points,
        },
    )))
}

/// One's own sign-up.
#[derive(Serialize, ToSchema)]
struct OwnSignup {
    id: SignupId,
    state: SignupState,
    offer_expires_at: Option<DateTime<Utc>>,
    shift_id: ShiftId,
    activity_id: Option<ActivityId>,
    /// The activity's.
    title: String,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    checked_in_at: Option<DateTime<Utc>>,
    checked_out_at: Option<DateTime<Utc>>,
    /// Once confirmed.
    minutes: Option<i64>,
    points: Option<i64>,
}

/// One's own sign-ups, newest first
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<OwnSignup>)))]
#[get("/me/signups")]
async fn mine(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<PageParams>,
) -> Result<web::Json<Page<OwnSignup>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let own = signup::Entity::find().filter(signup::Column::UserId.eq(caller.user_id));
    let rows = paging.apply(own, signup::Column::Id).all(state.db.read()).await?;
    let shifts = shift::Entity::find().filter(shift::Column::Id.is_in(rows.iter().map(|row| row.shift_id)));
    let shifts: HashMap<ShiftId, ActivityId> =
        shifts.all(state.db.read()).await?.into_iter().map(|row| (row.id, row.activity_id)).collect();
    let activities = activity::Entity::find().filter(activity::Column::Id.is_in(shifts.values().copied()));
    let titles: HashMap<ActivityId, String> =
        activities.all(state.db.read()).await?.into_iter().map(|row| (row.id, row.title)).collect();
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let activity_id = shifts.get(&row.shift_id).copied();
            OwnSignup {
                id: row.id,
                state: row.state,
                offer_expires_at: row.offer_expires_at,
                shift_id: row.shift_id,
                activity_id,
                title: activity_id.and_then(|id| titles.get(&id).cloned()).unwrap_or_default(),
                starts_at: row.starts_at,
                ends_at: row.ends_at,
                checked_in_at: row.checked_in_at,
                checked_out_at: row.checked_out_at,
                minutes: row.minutes,
                points: row.points,
            }
        },
    )))
}
