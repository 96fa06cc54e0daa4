use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use entities::ids::{CorrectionRequestId, SignupId};
use entities::volunteering::{CorrectionRequestState, correction_request as request};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryTrait};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::http::{Command, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::volunteering::service::corrections;
use crate::volunteering::service::records::{CorrectionView, RequestView};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(correct).service(ask).service(list).service(decline);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// The figure that counts from now on, at most the shift's length.
    #[garde(range(min = 0, max = 1440))]
    minutes: i64,
    /// The volunteer reads it.
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Correct confirmed minutes, as somebody in charge other than who confirmed; both figures stay visible, and a notice says so
///
/// More minutes bring the points that they lacked; fewer take none back. An open wish of the volunteer is answered with it.
#[utoipa::path(tag = "volunteering", request_body = Correction, responses((status = 201, body = CorrectionView)))]
#[post("/signups/{id}/corrections")]
async fn correct(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<Correction>,
) -> Result<Outcome, Problem> {
    let Correction { minutes, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        corrections::correct(&state, txn, &actor, *id, *minutes, reason).await.map(CorrectionView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CorrectionWish {
    /// What one thinks is right.
    #[garde(range(min = 0, max = 1440))]
    minutes: Option<i64>,
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Ask for a correction of one's own confirmed minutes
#[utoipa::path(tag = "volunteering", request_body = CorrectionWish, responses((status = 201, body = RequestView)))]
#[post("/signups/{id}/correction-requests")]
async fn ask(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SignupId>,
    request: Command<CorrectionWish>,
) -> Result<Outcome, Problem> {
    let CorrectionWish { minutes, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        corrections::ask(&state, txn, &actor, *id, *minutes, reason).await.map(RequestView::from)
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RequestParams {
    /// All of its communities and below.
    place_id: entities::ids::PlaceId,
    /// All without it.
    state: Option<CorrectionRequestState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Volunteers' wishes for corrections, for staff of the place
#[utoipa::path(tag = "volunteering", params(RequestParams), responses((status = 200, body = Page<RequestView>)))]
#[get("/correction-requests")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<RequestParams>,
) -> Result<web::Json<Page<RequestView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    actor.require(Permission::ManageActivities, &place.path)?;
    let here = places::listed_in(&place, request::Column::CommunityId, request::Column::PlacePath);
    let wishes = request::Entity::find()
        .filter(here)
        .apply_if(params.state, |query, wanted| query.filter(request::Column::State.eq(wanted)));
    let rows = paging.apply(wishes, request::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, RequestView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refusal {
    /// The volunteer reads it.
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Leave a figure as it is, and tell the volunteer why
#[utoipa::path(tag = "volunteering", request_body = Refusal, responses((status = 200, body = RequestView)))]
#[post("/correction-requests/{id}/decline")]
async fn decline(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<CorrectionRequestId>,
    request: Command<Refusal>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        corrections::decline(&state, txn, &actor, *id, &request.input.reason).await.map(RequestView::from)
    })
    .await
}
