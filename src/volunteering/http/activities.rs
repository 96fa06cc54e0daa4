use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, TimeDelta, Utc};
use entities::ids::{ActivityId, PlaceId, ShiftId, SignupId, TeamId, UserId};
use entities::volunteering::{activity, shift, signup};
use garde::Validate;
use sea_orm::sea_query::{Alias, Expr, Query};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Caller, Command, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::volunteering::SignupState;
use crate::volunteering::service::activities::{self, Plan};

/// A list shows so many coming shifts of each activity.
const SHIFTS_IN_LIST: i64 = 10;
/// An activity by itself shows so many, beginning with those that ended at most a week ago.
const SHIFTS_ALONE: i64 = 200;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(read).service(add_shift);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewActivity {
    /// A community or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(custom(text::paragraph(2000)))]
    description: String,
}

/// Something that happens in a place.
#[derive(Serialize, ToSchema)]
struct ActivityView {
    id: ActivityId,
    community_id: PlaceId,
    place_id: PlaceId,
    title: String,
    description: String,
    created_at: DateTime<Utc>,
    /// In the order of time. In a list the next 10; alone up to 200 from a week ago on.
    shifts: Vec<ShiftView>,
}

/// A time with seats, `[starts_at, ends_at)`.
#[derive(Serialize, ToSchema)]
pub(super) struct ShiftView {
    id: ShiftId,
    activity_id: ActivityId,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    capacity: i32,
    /// Seats that are gone, offered ones too.
    taken: i32,
    leader_id: UserId,
    /// Whose members sign up first.
    team_id: Option<TeamId>,
    /// What one must be able to do, confirmed by a team's leader or staff.
    skill: Option<String>,
    /// Grows with each change.
    revision: i32,
    /// It does not take place.
    called_off_at: Option<DateTime<Utc>>,
    call_off_reason: Option<String>,
    /// The caller's newest sign-up for it.
    my_signup: Option<MySignup>,
}

/// Where one stands in a shift.
#[derive(Serialize, ToSchema)]
pub(super) struct MySignup {
    id: SignupId,
    state: SignupState,
    /// Until when an offered seat waits to be taken.
    offer_expires_at: Option<DateTime<Utc>>,
}

impl ShiftView {
    pub(super) fn new(row: shift::Model, my_signup: Option<MySignup>) -> Self {
        let shift::Model { id, activity_id, starts_at, ends_at, capacity, taken, leader_id, team_id, skill, .. } = row;
        let shift::Model { revision, called_off_at, call_off_reason, .. } = row;
        Self {
            id,
            activity_id,
            starts_at,
            ends_at,
            capacity,
            taken,
            leader_id,
            team_id,
            skill,
            revision,
            called_off_at,
            call_off_reason,
            my_signup,
        }
    }
}

impl ActivityView {
    fn new(row: activity::Model, shifts: Vec<ShiftView>) -> Self {
        let activity::Model { id, community_id, place_id, title, description, created_at, .. } = row;
        Self { id, community_id, place_id, title, description, created_at, shifts }
    }
}

/// Create an activity; everybody sees it at once
#[utoipa::path(tag = "volunteering", request_body = NewActivity, responses((status = 201, body = ActivityView)))]
#[post("/activities")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewActivity>) -> Result<Outcome, Problem> {
    let NewActivity { place_id, title, description } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = activities::create(&state, txn, &actor, *place_id, title, description).await?;
        Ok(ActivityView::new(row, Vec::new()))
    })
    .await
}

/// Activities of a place, newest first, each with its next shifts
#[utoipa::path(tag = "volunteering", params(places::ListParams), responses((status = 200, body = Page<ActivityView>)))]
#[get("/activities")]
async fn list(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<ActivityView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let here = places::listed_in(&place, activity::Column::CommunityId, activity::Column::PlacePath);
    let rows = paging.apply(activity::Entity::find().filter(here), activity::Column::Id).all(state.db.read()).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut shifts = shifts_of(&state, caller.user_id, &ids, state.clock.now(), SHIFTS_IN_LIST).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let shifts = shifts.remove(&row.id).unwrap_or_default();
            ActivityView::new(row, shifts)
        },
    )))
}

/// One activity with its shifts
#[utoipa::path(tag = "volunteering", responses((status = 200, body = ActivityView)))]
#[get("/activities/{id}")]
async fn read(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ActivityId>,
) -> Result<web::Json<ActivityView>, Problem> {
    let row = activity::Entity::find_by_id(*id).one(state.db.read()).await?.ok_or(Code::NotFound)?;
    let since = state.clock.now() - TimeDelta::days(7);
    let mut shifts = shifts_of(&state, caller.user_id, &[row.id], since, SHIFTS_ALONE).await?;
    let shifts = shifts.remove(&row.id).unwrap_or_default();
    Ok(web::Json(ActivityView::new(row, shifts)))
}

/// The first shifts of each activity that end after a time, with the person's sign-ups: two queries, however many there are.
async fn shifts_of(
    state: &AppState,
    person: UserId,
    activities: &[ActivityId],
    since: DateTime<Utc>,
    each: i64,
) -> Result<HashMap<ActivityId, Vec<ShiftView>>, Problem> {
    let mut views: HashMap<_, Vec<_>> = HashMap::new();
    if activities.is_empty() {
        return Ok(views);
    }
    let (ranked, rank) = (Alias::new("ranked"), Alias::new("rank"));
    let by_time = Query::select()
        .column(shift::Column::Id)
        .expr_as(Expr::cust("row_number() OVER (PARTITION BY activity_id ORDER BY starts_at, id)"), rank.clone())
        .from(shift::Entity)
        .and_where(shift::Column::ActivityId.is_in(activities.iter().copied()))
        .and_where(shift::Column::EndsAt.gt(since))
        .to_owned();
    let first = Query::select()
        .column(shift::Column::Id)
        .from_subquery(by_time, ranked)
        .and_where(Expr::col(rank).lte(each))
        .to_owned();
    let shifts = shift::Entity::find()
        .filter(shift::Column::Id.in_subquery(first))
        .order_by_asc(shift::Column::StartsAt)
        .order_by_asc(shift::Column::Id)
        .all(state.db.read())
        .await?;
    let own = signup::Entity::find()
        .filter(signup::Column::UserId.eq(person))
        .filter(signup::Column::EndsAt.gt(since))
        .order_by_asc(signup::Column::Id)
        .all(state.db.read())
        .await?;
    // Of several for one shift the newest stays.
    let mut own: HashMap<ShiftId, MySignup> = own
        .into_iter()
        .map(|row| (row.shift_id, MySignup { id: row.id, state: row.state, offer_expires_at: row.offer_expires_at }))
        .collect();
    for row in shifts {
        let mine = own.remove(&row.id);
        views.entry(row.activity_id).or_default().push(ShiftView::new(row, mine));
    }
    Ok(views)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewShift {
    /// In the future, at most a year ahead.
    #[garde(skip)]
    starts_at: DateTime<Utc>,
    /// At most 24 hours later; shifts that meet do not overlap.
    #[garde(skip)]
    ends_at: DateTime<Utc>,
    #[garde(range(min = 1, max = 10_000))]
    capacity: i32,
    /// Shows the check-in code and confirms; without it the team's leader or the caller.
    #[garde(skip)]
    leader_id: Option<UserId>,
    /// A team of the community, whose members sign up first: others only shortly before.
    #[garde(skip)]
    team_id: Option<TeamId>,
    /// What one must be able to do, confirmed by a team's leader or staff.
    #[garde(custom(text::optional_line(20)))]
    skill: Option<String>,
}

/// Add a shift to an activity
#[utoipa::path(tag = "volunteering", request_body = NewShift, responses((status = 201, body = ShiftView)))]
#[post("/activities/{id}/shifts")]
async fn add_shift(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ActivityId>,
    request: Command<NewShift>,
) -> Result<Outcome, Problem> {
    let NewShift { starts_at, ends_at, capacity, leader_id, team_id, skill } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let plan = Plan {
            starts_at: *starts_at,
            ends_at: *ends_at,
            capacity: *capacity,
            leader_id: *leader_id,
            team_id: *team_id,
            skill: skill.as_deref(),
        };
        activities::add_shift(&state, txn, &actor, *id, plan).await.map(|row| ShiftView::new(row, None))
    })
    .await
}
