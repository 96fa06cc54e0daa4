use actix_web::{HttpResponse, get, post, put, web};
use entities::identity::user;
use entities::ids::{PlaceId, UserId};
use garde::Validate;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::grants::GrantView;
use crate::identity::service::{self, SignedIn};
use crate::identity::{Actor, session};
use crate::notifications::{self, Quota};
use crate::platform::code::Code;
use crate::platform::http::auth::ACCESS_TOKEN_SECONDS;
use crate::platform::http::{Body, Problem, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(sign_in).service(refresh).service(sign_out).service(me).service(edit_me);
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
