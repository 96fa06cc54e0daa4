use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{SignupId, UserId};
use entities::volunteering::{NoShowState, no_show};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission};
use crate::places::within_any;
use crate::platform::http::{
    Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text,
};
use crate::platform::state::AppState;
use crate::volunteering::service::{absence, entry};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(mark).service(make_appeal).service(decide).service(appeals).service(mine).service(standing);
}

/// Somebody's word that a person did not come.
#[derive(Serialize, ToSchema)]
struct NoShowView {
    signup_id: SignupId,
    user_id: UserId,
    state: NoShowState,
    /// The end of the shift.
    missed_at: DateTime<Utc>,
    set_at: DateTime<Utc>,
    /// What the person said.
    appeal: Option<String>,
    /// What whoever decided said.
    decision: Option<String>,
    decided_at: Option<DateTime<Utc>>,
}

impl From<no_show::Model> for NoShowView {
    fn from(row: no_show::Model) -> Self {
        let no_show::Model { signup_id, user_id, state, missed_at, set_at, appeal, decision, decided_at, .. } = row;
        Self { signup_id, user_id, state, missed_at, set_at, appeal, decision, decided_at }
    }
}

/// Say that somebody else did not come, as the shift's leader or staff, once it is over
///
/// Too many no-shows suspend the person from sign-ups for a time.
#[utoipa::path(tag = "volunteering", responses((status = 200, body = NoShowView)))]
#[post("/signups/{id}/no-show")]
async fn mark(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        absence::mark(&state, txn, &actor, *id).await.map(NoShowView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Appeal {
    #[garde(custom(text::paragraph(300)))]
    reason: String,
}

/// Say why one could not come: once, within some days (409 `appeal_window`)
#[utoipa::path(tag = "volunteering", request_body = Appeal, responses((status = 200, body = NoShowView)))]
#[post("/signups/{id}/appeal")]
async fn make_appeal(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Appeal>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        absence::appeal(&state, txn, &actor, *id, &request.input.reason).await.map(NoShowView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// Whether the no-show counts no more.
    #[garde(skip)]
    excused: bool,
    /// The person reads it.
    #[garde(custom(text::paragraph(300)))]
    reason: String,
}

/// Decide on an appeal, as the shift's leader or staff, but not who set the no-show
///
/// An excused one counts no more; a suspension that rests on too few then is lifted.
#[utoipa::path(tag = "volunteering", request_body = Decision, responses((status = 200, body = NoShowView)))]
#[post("/signups/{id}/appeal/decision")]
async fn decide(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Decision>,
) -> Result<Outcome, Problem> {
    let Decision { excused, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        absence::decide(&state, txn, &actor, *id, *excused, reason).await.map(NoShowView::from)
    })
    .await
}

/// Appeals that wait for a decision in one's places, newest first, for staff
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<NoShowView>)))]
#[get("/appeals")]
async fn appeals(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<PageParams>,
) -> Result<web::Json<Page<NoShowView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let paths = actor.require_somewhere(Permission::ManageActivities)?;
    let waiting = no_show::Entity::find()
        .filter(no_show::Column::State.eq(NoShowState::Appealed))
        .filter(within_any(no_show::Column::PlacePath, paths));
    let rows = paging.apply(waiting, no_show::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, NoShowView::from)))
}

/// One's own no-shows, newest first
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<NoShowView>)))]
#[get("/me/no-shows")]
async fn mine(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<PageParams>,
) -> Result<web::Json<Page<NoShowView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let own = no_show::Entity::find().filter(no_show::Column::UserId.eq(caller.user_id));
    let rows = paging.apply(own, no_show::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, NoShowView::from)))
}

/// Whether one may sign up.
#[derive(Serialize, ToSchema)]
struct Standing {
    /// No sign-ups until then.
    suspended_until: Option<DateTime<Utc>>,
}

/// Whether one is suspended from sign-ups
#[utoipa::path(tag = "volunteering", responses((status = 200, body = Standing)))]
#[get("/me/volunteering")]
async fn standing(state: web::Data<AppState>, caller: Caller) -> Result<web::Json<Standing>, Problem> {
    let suspended_until = entry::suspended_until(state.db.read(), caller.user_id, state.clock.now()).await?;
    Ok(web::Json(Standing { suspended_until }))
}
