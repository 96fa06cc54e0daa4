use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{TenderId, UserId};
use entities::tenders::panel;
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::tenders::{Reason, TenderKey, runs};
use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Params, Problem, command};
use crate::platform::state::AppState;
use crate::tenders::service::{find, opening, scoring};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(ask_opening).service(confirm_opening).service(name_panel).service(panel_of).service(declare);
}

/// Ask for the opening of the bids, after the closing; a second person confirms it
///
/// For staff of the programme who belong to no bidder. 409 `tender_not_closed`, `tender_opened`; 403 `conflict_of_interest`.
#[utoipa::path(tag = "tenders", responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/opening")]
async fn ask_opening(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = opening::ask(&state, txn, &actor, *id).await?;
        Ok(TenderKey { id: row.id })
    })
    .await
}

/// Open the bids, as the second person: the record goes on the board
///
/// 403 `own_act` for who asked, `conflict_of_interest`; 409 `opening_not_asked`, `tender_not_closed`, `tender_opened`.
#[utoipa::path(tag = "tenders", responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/opening/confirmation")]
async fn confirm_opening(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = opening::open(&state, txn, &actor, *id).await?;
        Ok(TenderKey { id: row.id })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct PanelInput {
    #[garde(length(min = 1, max = 20))]
    user_ids: Vec<UserId>,
}

/// Name people who are to score the bids
#[utoipa::path(tag = "tenders", request_body = PanelInput, responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/panel")]
async fn name_panel(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<PanelInput>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        scoring::name_panel(&state, txn, &actor, *id, &request.input.user_ids).await?;
        Ok(TenderKey { id: *id })
    })
    .await
}

/// Somebody who scores.
#[derive(Serialize, ToSchema)]
struct SeatView {
    user_id: UserId,
    added_at: DateTime<Utc>,
    /// When the person declared a conflict: their scores do not count.
    conflict_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoParams {}

/// Who scores; for staff of the programme
#[utoipa::path(tag = "tenders", responses((status = 200, body = Vec<SeatView>)))]
#[get("/tenders/{id}/panel")]
async fn panel_of(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    _: Params<NoParams>,
) -> Result<web::Json<Vec<SeatView>>, Problem> {
    let tender = find(state.db.read(), *id).await?;
    if !runs(&state, &actor, &tender).await? {
        return Err(Code::Forbidden.into());
    }
    let rows = panel::Entity::find()
        .filter(panel::Column::TenderId.eq(*id))
        .order_by_asc(panel::Column::UserId)
        .all(state.db.read())
        .await?;
    let view =
        |row: panel::Model| SeatView { user_id: row.user_id, added_at: row.added_at, conflict_at: row.conflict_at };
    Ok(web::Json(rows.into_iter().map(view).collect()))
}

/// Declare, as one of the panel, that one must not judge in this tender
#[utoipa::path(tag = "tenders", request_body = Reason, responses((status = 200, body = TenderKey)))]
#[post("/tenders/{id}/conflict")]
async fn declare(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        scoring::declare(&state, txn, &actor, *id, &request.input.reason).await?;
        Ok(TenderKey { id: *id })
    })
    .await
}
