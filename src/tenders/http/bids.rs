use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{BidId, OrganisationId, TenderId, UserId};
use entities::tenders::{BidState, bid, panel};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::names;
use super::tenders::runs;
use crate::identity::Actor;
use crate::organisations;
use crate::platform::code::Code;
use crate::platform::http::{Body, Caller, Command, Outcome, Params, Problem, command, text, transact};
use crate::platform::state::AppState;
use crate::tenders::domain::{Bid, Indicator, Ranking, Term};
use crate::tenders::service::bids::{self, Receipt};
use crate::tenders::service::opening::last_versions;
use crate::tenders::service::{find, scoring};

/// 100 million yuan: more is a slip of the pen.
const MAX_FEN: i64 = 10_000_000_000;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(hand_in).service(withdraw).service(own).service(list).service(read).service(score).service(ranking);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct MilestoneInput {
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(skip)]
    due_at: DateTime<Utc>,
    #[garde(range(min = 1, max = MAX_FEN))]
    amount_fen: i64,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct IndicatorInput {
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(range(min = 1, max = 1_000_000_000))]
    target: i64,
    #[garde(custom(text::line(10)))]
    unit: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct BidInput {
    /// Whose bid it is; one's own.
    #[garde(skip)]
    organisation_id: OrganisationId,
    /// At most the ceiling.
    #[garde(range(min = 1, max = MAX_FEN))]
    price_fen: i64,
    #[garde(custom(text::paragraph(8000)))]
    plan: String,
    /// Who does the work: roles and qualifications.
    #[garde(custom(text::paragraph(2000)))]
    team: String,
    /// In their order; the amounts make the price.
    #[garde(length(min = 1, max = 20), dive)]
    milestones: Vec<MilestoneInput>,
    #[serde(default)]
    #[garde(length(max = 20), dive)]
    indicators: Vec<IndicatorInput>,
}

impl BidInput {
    fn bid(&self) -> Bid {
        let term = |(milestone, seq): (&MilestoneInput, i64)| Term {
            seq,
            title: milestone.title.trim().to_owned(),
            due_at: milestone.due_at,
            amount_fen: milestone.amount_fen,
        };
        let indicator = |input: &IndicatorInput| Indicator {
            title: input.title.trim().to_owned(),
            target: input.target,
            unit: input.unit.trim().to_owned(),
        };
        Bid {
            organisation_id: self.organisation_id,
            price_fen: self.price_fen,
            plan: self.plan.trim().to_owned(),
            team: self.team.trim().to_owned(),
            milestones: self.milestones.iter().zip(1..).map(term).collect(),
            indicators: self.indicators.iter().map(indicator).collect(),
        }
    }
}

/// What a bidder keeps. After the opening the commitment is public: SHA-256 over the JSON array
/// `["linli.bid.v1", tender_id, salt, document]` proves what it stands for.
#[derive(Serialize, ToSchema)]
struct ReceiptView {
    tender_id: TenderId,
    organisation_id: OrganisationId,
    /// 1 for the first; the last counts.
    version: i64,
    received_at: DateTime<Utc>,
    commitment: String,
    salt: String,
    /// The bid as text, exactly as the commitment covers it.
    document: String,
}

impl ReceiptView {
    fn new(tender_id: TenderId, receipt: Receipt) -> Self {
        let Receipt { organisation_id, version, received_at, commitment, salt, document } = receipt;
        Self { tender_id, organisation_id, version, received_at, commitment, salt, document }
    }
}

/// Hand in a bid, or replace it, before the closing; the answer is the receipt
///
/// For somebody of the organisation who may act for it at the project's place. Nobody else learns that there is a bid until the
/// opening. A PUT, so that no answer is stored with a key. 409 `tender_closed`, 403 `not_eligible`, 422 by field.
#[utoipa::path(tag = "tenders", request_body = BidInput, responses((status = 200, body = ReceiptView)))]
#[put("/tenders/{id}/bid")]
async fn hand_in(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    input: Body<BidInput>,
) -> Result<web::Json<ReceiptView>, Problem> {
    let bid = input.bid();
    let receipt = transact(&state, async |txn| bids::hand_in(&state, txn, &actor, *id, &bid).await).await?;
    Ok(web::Json(ReceiptView::new(*id, receipt)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// One's own.
    organisation_id: OrganisationId,
}

/// Withdraw a bid before the closing
#[utoipa::path(tag = "tenders", params(Whose), responses((status = 204)))]
#[delete("/tenders/{id}/bid")]
async fn withdraw(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    whose: Params<Whose>,
) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| bids::withdraw(&state, txn, &actor, *id, whose.organisation_id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The receipt of one's own organisation's bid, if it is in; 404 for everybody else
#[utoipa::path(tag = "tenders", params(Whose), responses((status = 200, body = ReceiptView)))]
#[get("/tenders/{id}/bid")]
async fn own(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    whose: Params<Whose>,
) -> Result<web::Json<ReceiptView>, Problem> {
    let mine = organisations::of_person(state.db.read(), actor.user_id).await?;
    if !mine.contains(&whose.organisation_id) {
        return Err(Code::NotFound.into());
    }
    let receipt = bids::receipt(&state, state.db.read(), *id, whose.organisation_id).await?;
    Ok(web::Json(ReceiptView::new(*id, receipt)))
}

/// A bid as everybody sees it after the opening.
#[derive(Serialize, ToSchema)]
struct BidView {
    id: BidId,
    state: BidState,
    organisation_id: Option<OrganisationId>,
    organisation: Option<String>,
    price_fen: Option<i64>,
    received_at: DateTime<Utc>,
    commitment: String,
    /// Why it does not count.
    invalid_reason: Option<String>,
}

/// The bids of a tender, once they are opened: from whom and for how much; 404 `bids_sealed` before
#[utoipa::path(tag = "tenders", responses((status = 200, body = Vec<BidView>)))]
#[get("/tenders/{id}/bids")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<TenderId>,
) -> Result<web::Json<Vec<BidView>>, Problem> {
    let db = state.db.read();
    if find(db, *id).await?.opened_at.is_none() {
        return Err(Code::BidsSealed.into());
    }
    // At most one of each organisation of the register.
    let rows = bid::Entity::find()
        .filter(bid::Column::TenderId.eq(*id))
        .filter(bid::Column::State.is_in([BidState::Valid, BidState::Invalid]))
        .order_by_asc(bid::Column::ReceivedAt)
        .all(db)
        .await?;
    let names = names(&state, rows.iter().filter_map(|row| row.organisation_id)).await?;
    let mut versions = last_versions(db, *id).await?;
    let view = |row: bid::Model| BidView {
        commitment: versions.remove(&row.id).map(|version| version.commitment).unwrap_or_default(),
        organisation: row.organisation_id.and_then(|id| names.get(&id).cloned()),
        id: row.id,
        state: row.state,
        organisation_id: row.organisation_id,
        price_fen: row.price_fen,
        received_at: row.received_at,
        invalid_reason: row.invalid_reason,
    };
    Ok(web::Json(rows.into_iter().map(view).collect()))
}

/// What a bid says.
#[derive(Serialize, ToSchema)]
struct OpenedBid {
    id: BidId,
    tender_id: TenderId,
    bid: Bid,
    /// Makes the commitment together with the text.
    salt: String,
    document: String,
}

/// What a valid bid says; for the panel, staff of the programme, and the bidder's own people
#[utoipa::path(tag = "tenders", responses((status = 200, body = OpenedBid)))]
#[get("/bids/{id}")]
async fn read(state: web::Data<AppState>, actor: Actor, id: web::Path<BidId>) -> Result<web::Json<OpenedBid>, Problem> {
    let db = state.db.read();
    let row = bid::Entity::find_by_id(*id).filter(bid::Column::State.eq(BidState::Valid)).one(db).await?;
    let row = row.ok_or(Code::NotFound)?;
    let tender = find(db, row.tender_id).await?;
    let organisation_id = row.organisation_id.ok_or(Code::NotFound)?;
    if !(reads(&state, &actor, row.tender_id).await?
        || organisations::of_person(db, actor.user_id).await?.contains(&organisation_id)
        || runs(&state, &actor, &tender).await?)
    {
        return Err(Code::NotFound.into());
    }
    let (document, salt) = row.document.zip(row.salt).ok_or(Code::NotFound)?;
    let bid = serde_json::from_str(&document).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    Ok(web::Json(OpenedBid { id: row.id, tender_id: row.tender_id, bid, salt, document }))
}

/// Whether somebody sits on the panel without a conflict.
async fn reads(state: &AppState, actor: &Actor, tender: TenderId) -> Result<bool, Problem> {
    let seat: Option<panel::Model> =
        panel::Entity::find_by_id((tender, UserId::from(actor.user_id.0))).one(state.db.read()).await?;
    Ok(seat.is_some_and(|seat| seat.conflict.is_none()))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// The criterion's `seq`.
    #[garde(skip)]
    criterion: i64,
    /// 0 to its maximum.
    #[garde(skip)]
    points: i64,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Scores {
    /// Every criterion once.
    #[garde(length(min = 1, max = 20), dive)]
    scores: Vec<Given>,
}

/// Names the bid that was scored.
#[derive(Serialize, ToSchema)]
struct BidKey {
    id: BidId,
}

/// Score a bid by every criterion, once, as one of the panel
///
/// 403 `conflict_of_interest`, 409 `already_scored`, `bid_not_valid`, `award_exists`.
#[utoipa::path(tag = "tenders", request_body = Scores, responses((status = 201, body = BidKey)))]
#[post("/bids/{id}/scores")]
async fn score(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<BidId>,
    request: Command<Scores>,
) -> Result<Outcome, Problem> {
    let points: Vec<_> = request.input.scores.iter().map(|given| (given.criterion, given.points)).collect();
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        scoring::score(&state, txn, &actor, *id, &points).await?;
        Ok(BidKey { id: *id })
    })
    .await
}

/// How the bids stand, with everything needed to redo it; for staff of the programme. With an award it is public
///
/// 409 `scores_missing`.
#[utoipa::path(tag = "tenders", responses((status = 200, body = Ranking)))]
#[get("/tenders/{id}/ranking")]
async fn ranking(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
) -> Result<web::Json<Ranking>, Problem> {
    let tender = find(state.db.read(), *id).await?;
    if !runs(&state, &actor, &tender).await? {
        return Err(Code::Forbidden.into());
    }
    scoring::ranking(state.db.read(), &tender).await.map(web::Json)
}
