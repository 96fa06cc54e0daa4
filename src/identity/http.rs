use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::identity::{grant, residency, user};
use entities::ids::{GrantId, PlaceId, ResidencyId, UserId};
use entities::places::{household, place};
use garde::Validate;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{self, Application, SignedIn};
use super::{Actor, Permission, ResidencyState, Role, session};
use crate::notifications::{self, Quota};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::auth::ACCESS_TOKEN_SECONDS;
use crate::platform::http::{Body, Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(sign_in)
        .service(refresh)
        .service(sign_out)
        .service(me)
        .service(edit_me)
        .service(give)
        .service(take_back)
        .service(apply)
        .service(applications)
        .service(application)
        .service(approve)
        .service(reject);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct WechatCode {
    /// What `wx.login` gave; good for five minutes and once.
    #[garde(custom(text::line(128)))]
    code: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshToken {
    #[garde(custom(text::line(256)))]
    refresh_token: String,
}

/// Tokens, and who one is.
#[derive(Serialize, ToSchema)]
struct Session {
    /// Goes into `Authorization: Bearer …`.
    access_token: String,
    /// Seconds.
    expires_in: i64,
    /// Good for one refresh; a second presentation signs the person out everywhere that this sign-in reached.
    refresh_token: String,
    user: Profile,
}

/// A role at a place.
#[derive(Serialize, ToSchema)]
struct GrantView {
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

/// Whether and where somebody lives.
#[derive(Serialize, ToSchema)]
struct Residency {
    /// `none`, or where the newest application stands: `pending`, `approved` (verified), `rejected`, `ended`.
    state: String,
    /// The building.
    place_id: Option<PlaceId>,
    community_id: Option<PlaceId>,
}

/// Oneself.
#[derive(Serialize, ToSchema)]
struct Profile {
    id: UserId,
    nickname: String,
    residency: Residency,
    grants: Vec<GrantView>,
}

/// Oneself, with what changes often.
#[derive(Serialize, ToSchema)]
struct Me {
    #[serde(flatten)]
    profile: Profile,
    /// Whether one is left out of leaderboards.
    board_opt_out: bool,
    /// Inbox entries not read.
    unread: u64,
    /// How many WeChat messages one still accepts, by template.
    message_consents: Vec<Quota>,
}

async fn profile(state: &AppState, person: &user::Model) -> Result<Profile, Problem> {
    let latest = service::latest_residency(state.db.read(), person.id).await?;
    let now = state.clock.now();
    let grants = service::fresh_grants(state, person.id).await?;
    Ok(Profile {
        id: person.id,
        nickname: person.nickname.clone(),
        residency: Residency {
            state: latest.as_ref().map_or_else(|| "none".to_owned(), |row| row.state.to_string()),
            place_id: latest.as_ref().map(|row| row.building_id),
            community_id: latest.as_ref().map(|row| row.community_id),
        },
        grants: grants
            .iter()
            .filter(|grant| grant.until.is_none_or(|until| now < until))
            .map(GrantView::from)
            .collect(),
    })
}

async fn person(state: &AppState, id: UserId) -> Result<user::Model, Problem> {
    user::Entity::find_by_id(id).one(state.db.read()).await?.ok_or_else(|| Code::SessionExpired.into())
}

async fn session_view(state: &AppState, signed_in: SignedIn) -> Result<web::Json<Session>, Problem> {
    let SignedIn { caller, access_token, refresh_token } = signed_in;
    let user = profile(state, &person(state, caller.user_id).await?).await?;
    Ok(web::Json(Session { access_token, expires_in: ACCESS_TOKEN_SECONDS, refresh_token, user }))
}

/// Sign in with a WeChat login code
#[utoipa::path(tag = "identity", request_body = WechatCode, responses((status = 200, body = Session)), security(()))]
#[post("/auth/wechat")]
async fn sign_in(state: web::Data<AppState>, body: Body<WechatCode>) -> Result<web::Json<Session>, Problem> {
    let signed_in = service::sign_in(&state, &body.code).await?;
    session_view(&state, signed_in).await
}

/// Spend a refresh token
///
/// Of any presentations of one token exactly one gets 200; every other gets 401 `refresh_reused` and ends the session.
#[utoipa::path(tag = "identity", request_body = RefreshToken, responses((status = 200, body = Session)), security(()))]
#[post("/auth/refresh")]
async fn refresh(state: web::Data<AppState>, body: Body<RefreshToken>) -> Result<web::Json<Session>, Problem> {
    let signed_in = service::refresh(&state, &body.refresh_token).await?;
    session_view(&state, signed_in).await
}

/// Sign out: the session's refresh token works no more
#[utoipa::path(tag = "identity", responses((status = 204)))]
#[post("/auth/logout")]
async fn sign_out(state: web::Data<AppState>, actor: Actor) -> Result<HttpResponse, Problem> {
    session::end(&state, actor.family).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Oneself
#[utoipa::path(tag = "identity", responses((status = 200, body = Me)))]
#[get("/me")]
async fn me(state: web::Data<AppState>, actor: Actor) -> Result<web::Json<Me>, Problem> {
    let person = person(&state, actor.user_id).await?;
    Ok(web::Json(me_view(&state, &person).await?))
}

async fn me_view(state: &AppState, person: &user::Model) -> Result<Me, Problem> {
    Ok(Me {
        profile: profile(state, person).await?,
        board_opt_out: person.board_opt_out,
        unread: notifications::unread(state.db.read(), person.id).await?,
        message_consents: notifications::quotas(state, state.db.read(), person.id).await?,
    })
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditMe {
    #[garde(custom(text::line(20)))]
    nickname: String,
    /// Leaves one out of leaderboards.
    #[garde(skip)]
    #[serde(default)]
    board_opt_out: bool,
}

/// Change what others see of oneself
#[utoipa::path(tag = "identity", request_body = EditMe, responses((status = 200, body = Me)))]
#[put("/me")]
async fn edit_me(state: web::Data<AppState>, actor: Actor, body: Body<EditMe>) -> Result<web::Json<Me>, Problem> {
    let edited = transact(&state, async |txn| {
        let row = user::Entity::find_by_id(actor.user_id).one(txn).await?.ok_or(Code::SessionExpired)?;
        let mut row = row.into_active_model();
        row.nickname = Set(body.nickname.trim().to_owned());
        row.board_opt_out = Set(body.board_opt_out);
        Ok(row.update(txn).await?)
    })
    .await?;
    Ok(web::Json(me_view(&state, &edited).await?))
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

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewResidency {
    #[garde(skip)]
    building_id: PlaceId,
    /// 单元
    #[garde(custom(text::line(10)))]
    unit: String,
    /// 室
    #[garde(custom(text::line(10)))]
    room: String,
    #[garde(custom(text::line(30)))]
    real_name: String,
    /// What WeChat's phone button gave; exchanged for the number on the server.
    #[garde(custom(text::line(128)))]
    phone_code: String,
}

/// An application for residency.
#[derive(Serialize, ToSchema)]
struct ResidencyView {
    id: ResidencyId,
    state: ResidencyState,
    user_id: UserId,
    building_id: PlaceId,
    building: String,
    unit: String,
    room: String,
    /// Masked in lists.
    real_name: String,
    /// Masked in lists.
    phone: String,
    applied_at: DateTime<Utc>,
    reject_reason: Option<String>,
}

/// Apply for residency behind a door
#[utoipa::path(tag = "identity", request_body = NewResidency, responses((status = 201, body = ResidencyState)))]
#[post("/residencies")]
async fn apply(state: web::Data<AppState>, actor: Actor, request: Command<NewResidency>) -> Result<Outcome, Problem> {
    let NewResidency { building_id, unit, room, real_name, phone_code } = &request.input;
    // WeChat is asked before the transaction: no lock is held over the network. A code is good once, so that a repeated key
    // must find its answer first.
    if let Some(earlier) = crate::platform::http::command::replay(&state, actor.user_id, &request.key).await? {
        return Ok(earlier);
    }
    let phone = service::phone_number(&state, phone_code).await?;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let claim = Application { building_id: *building_id, unit, room, real_name, phone: &phone };
        service::apply(&state, txn, &actor, claim).await.map(Decided::from)
    })
    .await
}

/// Where an application stands.
#[derive(Serialize, ToSchema)]
struct Decided {
    id: ResidencyId,
    state: ResidencyState,
    place_id: PlaceId,
}

impl From<residency::Model> for Decided {
    fn from(row: residency::Model) -> Self {
        Self { id: row.id, state: row.state, place_id: row.building_id }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ApplicationParams {
    /// `pending` without it.
    state: Option<ResidencyState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Applications in the places that one may verify, names and numbers masked
#[utoipa::path(tag = "identity", params(ApplicationParams), responses((status = 200, body = Page<ResidencyView>)))]
#[get("/residencies")]
async fn applications(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ApplicationParams>,
) -> Result<web::Json<Page<ResidencyView>>, Problem> {
    let paths = actor.require_somewhere(Permission::VerifyResidents)?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mine = residency::Entity::find()
        .filter(residency::Column::State.eq(params.state.unwrap_or(ResidencyState::Pending)))
        .filter(places::within_any(residency::Column::PlacePath, paths));
    let rows = paging.apply(mine, residency::Column::Id).all(state.db.read()).await?;
    let doors = household::Entity::find().filter(household::Column::Id.is_in(rows.iter().map(|row| row.household_id)));
    let doors = doors.all(state.db.read()).await?;
    let buildings = place::Entity::find().filter(place::Column::Id.is_in(rows.iter().map(|row| row.building_id)));
    let buildings = buildings.all(state.db.read()).await?;
    let views = rows.into_iter().map(|row| {
        let (name, phone) = service::personal(&state, &row)?;
        let door = doors.iter().find(|door| door.id == row.household_id).ok_or(Code::Internal)?;
        let building = buildings.iter().find(|place| place.id == row.building_id).ok_or(Code::Internal)?;
        Ok(view(row, door, building, service::masked_name(&name), service::masked_phone(&phone)))
    });
    let views = views.collect::<Result<Vec<_>, Problem>>()?;
    Ok(web::Json(paging.page(&state.keys, views, |view| view.id.0, |view| view)))
}

fn view(
    row: residency::Model,
    door: &household::Model,
    building: &place::Model,
    real_name: String,
    phone: String,
) -> ResidencyView {
    ResidencyView {
        id: row.id,
        state: row.state,
        user_id: row.user_id,
        building_id: row.building_id,
        building: building.name.clone(),
        unit: door.unit.clone(),
        room: door.room.clone(),
        real_name,
        phone,
        applied_at: row.applied_at,
        reject_reason: row.reject_reason,
    }
}

/// One application with name and number in full; each look is audited
#[utoipa::path(tag = "identity", responses((status = 200, body = ResidencyView)))]
#[get("/residencies/{id}")]
async fn application(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ResidencyId>,
) -> Result<web::Json<ResidencyView>, Problem> {
    let (row, door, name, phone) = service::reveal(&state, &actor, *id).await?;
    let building = places::find(state.db.read(), row.building_id).await?;
    Ok(web::Json(view(row, &door, &building, name, phone)))
}

/// Confirm that somebody lives where they say
#[utoipa::path(tag = "identity", responses((status = 200, body = Decided)))]
#[post("/residencies/{id}/approve")]
async fn approve(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ResidencyId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::decide(&state, txn, &actor, *id, None).await.map(Decided::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refusal {
    /// The applicant reads it.
    #[garde(custom(text::paragraph(200)))]
    reason: String,
}

/// Refuse an application, with a reason that the applicant reads
#[utoipa::path(tag = "identity", request_body = Refusal, responses((status = 200, body = Decided)))]
#[post("/residencies/{id}/reject")]
async fn reject(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ResidencyId>,
    request: Command<Refusal>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::decide(&state, txn, &actor, *id, Some(request.input.reason.trim())).await.map(Decided::from)
    })
    .await
}
