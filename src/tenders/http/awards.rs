use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{BidId, NoticeId, TenderAwardId, TenderId};
use entities::tenders::{AwardState, award};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::tenders::{Reason, runs};
use crate::identity::Actor;
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::tenders::service::{awards, find};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(create).service(decide).service(set_aside);
}

/// Which bid is taken.
#[derive(Serialize, ToSchema)]
struct AwardView {
    id: TenderAwardId,
    tender_id: TenderId,
    bid_id: BidId,
    state: AwardState,
    /// Its place in the ranking.
    rank: i64,
    /// How all bids stood: the explanation.
    ranking: Value,
    /// Why it is not the first-ranked.
    reason: Option<String>,
    proposed_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    /// Its notice, to which people may object.
    notice_id: Option<NoticeId>,
    set_aside_at: Option<DateTime<Utc>>,
    set_aside_reason: Option<String>,
}

impl From<award::Model> for AwardView {
    fn from(row: award::Model) -> Self {
        Self {
            id: row.id,
            tender_id: row.tender_id,
            bid_id: row.bid_id,
            state: row.state,
            rank: row.rank,
            ranking: row.ranking,
            reason: row.reason,
            proposed_at: row.proposed_at,
            decided_at: row.decided_at,
            notice_id: row.notice_id,
            set_aside_at: row.set_aside_at,
            set_aside_reason: row.set_aside_reason,
        }
    }
}

/// The awards of a tender; those that did not take effect are shown to staff of the programme only
#[utoipa::path(tag = "tenders", params(PageParams), responses((status = 200, body = Page<AwardView>)))]
#[get("/tenders/{id}/awards")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<AwardView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let tender = find(state.db.read(), *id).await?;
    let mut query = award::Entity::find().filter(award::Column::TenderId.eq(*id));
    if !runs(&state, &actor, &tender).await? {
        query = query.filter(award::Column::State.is_in([AwardState::Standing, AwardState::SetAside]));
    }
    let rows = paging.apply(query, award::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, AwardView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAward {
    #[garde(skip)]
    bid_id: BidId,
    /// For a bid that is not the first-ranked.
    #[garde(custom(text::optional_line(500)))]
    reason: Option<String>,
}

/// Award a bid: the first-ranked at once, another with a reason and a second person's confirmation
///
/// A notice says so, and people may object for the programme's days. 409 `scores_missing`, `award_exists`, `project_state`,
/// `tender_not_opened`; 403 `conflict_of_interest`.
#[utoipa::path(tag = "tenders", request_body = NewAward, responses((status = 201, body = AwardView)))]
#[post("/tenders/{id}/awards")]
async fn create(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<NewAward>,
) -> Result<Outcome, Problem> {
    let NewAward { bid_id, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        awards::award(&state, txn, &actor, *id, *bid_id, reason.as_deref()).await.map(AwardView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    #[garde(skip)]
    confirm: bool,
}

/// Confirm or refuse a proposed award, as the second person
#[utoipa::path(tag = "tenders", request_body = Decision, responses((status = 200, body = AwardView)))]
#[post("/tender-awards/{id}/decision")]
async fn decide(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderAwardId>,
    request: Command<Decision>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        awards::decide(&state, txn, &actor, *id, request.input.confirm).await.map(AwardView::from)
    })
    .await
}

/// Take an award back because an objection to it was upheld; another bid can be awarded then
///
/// 409 `award_not_upheld`.
#[utoipa::path(tag = "tenders", request_body = Reason, responses((status = 200, body = AwardView)))]
#[post("/tender-awards/{id}/setting-aside")]
async fn set_aside(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderAwardId>,
    request: Command<Reason>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        awards::set_aside(&state, txn, &actor, *id, &request.input.reason).await.map(AwardView::from)
    })
    .await
}
