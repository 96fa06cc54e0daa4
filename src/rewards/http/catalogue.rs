use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{FileId, MerchantId, PlaceId, RewardId};
use entities::rewards::{LimitPeriod, RewardKind, count, merchant, reward};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::check_opening;
use crate::files::{self, Audience, Links};
use crate::identity::Actor;
use crate::places;
use crate::platform::calendar;
use crate::platform::code::Code;
use crate::platform::http::{Body, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::opening::Opening;
use crate::platform::state::AppState;
use crate::rewards::domain::offer;
use crate::rewards::service;
use crate::rewards::service::catalogue::{self, MOST, Origin, Terms};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(read).service(edit);
}

/// How many times one person may take a reward in a period.
#[derive(Clone, Copy, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Limit {
    #[garde(range(min = 1, max = 1000))]
    count: i64,
    /// By China's calendar; `ever` is once and for all.
    #[garde(skip)]
    period: LimitPeriod,
}

/// Something that points buy.
#[derive(Serialize, ToSchema)]
pub(super) struct RewardView {
    id: RewardId,
    place_id: PlaceId,
    kind: RewardKind,
    title: String,
    description: String,
    picture: Option<Links>,
    /// Points.
    cost: i64,
    /// How many there were.
    stock: i64,
    /// How many can still be redeemed.
    available: i64,
    limit: Option<Limit>,
    /// How often the caller can still take it in this period; told of a single limited reward.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_for_me: Option<i64>,
    /// Who hands it out; staff of the place if absent.
    merchant: Option<OfferedBy>,
    /// When it is handed out: its own times, else its merchant's; at all times if absent.
    opening: Option<Opening>,
    /// It can be redeemed from then on.
    available_from: Option<DateTime<Utc>>,
    /// And until then.
    available_until: Option<DateTime<Utc>>,
    /// Nobody can redeem it; what is reserved is still handed out.
    withdrawn: bool,
}

/// Who hands a reward out, and where.
#[derive(Serialize, ToSchema)]
struct OfferedBy {
    id: MerchantId,
    name: String,
    address: String,
}

impl RewardView {
    fn new(state: &AppState, row: reward::Model, merchant: Option<&merchant::Model>) -> Result<Self, Problem> {
        let own = service::opening(row.opening.as_ref())?;
        let opening = match merchant {
            Some(merchant) if own.is_none() => service::opening(merchant.opening.as_ref())?,
            _ => own,
        };
        let by = |row: &merchant::Model| OfferedBy { id: row.id, name: row.name.clone(), address: row.address.clone() };
        Ok(Self {
            id: row.id,
            place_id: row.place_id,
            kind: row.kind,
            title: row.title,
            description: row.description,
            picture: row.file_id.map(|file| files::link(state, file, Audience::Public)),
            cost: row.cost,
            stock: row.stock,
            available: row.available,
            limit: row.limit_count.zip(row.limit_period).map(|(count, period)| Limit { count, period }),
            left_for_me: None,
            merchant: merchant.map(by),
            opening,
            available_from: row.available_from,
            available_until: row.available_until,
            withdrawn: row.withdrawn_at.is_some(),
        })
    }
}

/// Views of rewards with their merchants: one query more, however many rows.
async fn views(
    state: &AppState,
    connection: &impl sea_orm::ConnectionTrait,
    rows: Vec<reward::Model>,
) -> Result<Vec<RewardView>, Problem> {
    let merchants: Vec<MerchantId> = rows.iter().filter_map(|row| row.merchant_id).collect();
    let merchants = if merchants.is_empty() {
        Vec::new()
    } else {
        merchant::Entity::find().filter(merchant::Column::Id.is_in(merchants)).all(connection).await?
    };
    let view = |row: reward::Model| {
        let merchant = merchants.iter().find(|merchant| Some(merchant.id) == row.merchant_id);
        RewardView::new(state, row, merchant)
    };
    rows.into_iter().map(view).collect()
}

pub(super) async fn view(
    state: &AppState,
    connection: &impl sea_orm::ConnectionTrait,
    row: reward::Model,
) -> Result<RewardView, Problem> {
    views(state, connection, vec![row]).await?.pop().ok_or_else(|| Code::Internal.into())
}

/// Long text, or none.
fn check_description() -> impl Fn(&str, &()) -> garde::Result {
    |text, context| if text.is_empty() { Ok(()) } else { text::paragraph(2000)(text, context) }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReward {
    /// A community or a place in one: where it is handed out.
    #[garde(skip)]
    place_id: PlaceId,
    /// Who hands it out; without one staff and clerks of the place. It never changes.
    #[garde(skip)]
    merchant_id: Option<MerchantId>,
    /// `piece` without it. It never changes.
    #[garde(skip)]
    kind: Option<RewardKind>,
    #[garde(custom(text::line(40)))]
    title: String,
    #[garde(custom(check_description()))]
    #[serde(default)]
    description: String,
    /// One's own upload that content security has passed.
    #[garde(skip)]
    file_id: Option<FileId>,
    /// Points.
    #[garde(range(min = 1, max = 1_000_000))]
    cost: i64,
    /// 0 for vouchers, whose codes are imported.
    #[garde(range(min = 0, max = MOST))]
    #[serde(default)]
    stock: i64,
    #[garde(dive)]
    limit: Option<Limit>,
    #[garde(custom(check_opening()))]
    opening: Option<Opening>,
    #[garde(skip)]
    available_from: Option<DateTime<Utc>>,
    #[garde(skip)]
    available_until: Option<DateTime<Utc>>,
}

/// Offer a reward
#[utoipa::path(tag = "rewards", request_body = NewReward, responses((status = 201, body = RewardView)))]
#[post("/rewards")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewReward>) -> Result<Outcome, Problem> {
    let input = &request.input;
    let origin = Origin {
        place_id: input.place_id,
        merchant_id: input.merchant_id,
        kind: input.kind.unwrap_or(RewardKind::Piece),
        stock: input.stock,
    };
    let terms = Terms {
        title: input.title.trim(),
        description: input.description.trim(),
        cost: input.cost,
        file_id: input.file_id,
        limit: input.limit.map(|limit| (limit.count, limit.period)),
        opening: input.opening.as_ref(),
        available_from: input.available_from,
        available_until: input.available_until,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = catalogue::create(&state, txn, &actor, &origin, &terms).await?;
        view(&state, txn, row).await
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditedReward {
    #[garde(custom(text::line(40)))]
    title: String,
    #[garde(custom(check_description()))]
    #[serde(default)]
    description: String,
    /// The one it has, or another upload of one's own that content security has passed.
    #[garde(skip)]
    file_id: Option<FileId>,
    /// Points; redemptions that are open keep theirs.
    #[garde(range(min = 1, max = 1_000_000))]
    cost: i64,
    /// Counts what is redeemed from now on.
    #[garde(dive)]
    limit: Option<Limit>,
    #[garde(custom(check_opening()))]
    opening: Option<Opening>,
    #[garde(skip)]
    available_from: Option<DateTime<Utc>>,
    #[garde(skip)]
    available_until: Option<DateTime<Utc>>,
    /// Nobody can redeem it; what is reserved is still handed out.
    #[garde(skip)]
    #[serde(default)]
    withdrawn: bool,
}

/// Write a reward's terms anew, withdraw it or offer it again: what is left out is emptied
#[utoipa::path(tag = "rewards", request_body = EditedReward, responses((status = 200, body = RewardView)))]
#[put("/rewards/{id}")]
async fn edit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RewardId>,
    input: Body<EditedReward>,
) -> Result<web::Json<RewardView>, Problem> {
    let terms = Terms {
        title: input.title.trim(),
        description: input.description.trim(),
        cost: input.cost,
        file_id: input.file_id,
        limit: input.limit.map(|limit| (limit.count, limit.period)),
        opening: input.opening.as_ref(),
        available_from: input.available_from,
        available_until: input.available_until,
    };
    let edited = transact(&state, async |txn| {
        let row = catalogue::edit(&state, txn, &actor, *id, &terms, input.withdrawn).await?;
        view(&state, txn, row).await
    });
    edited.await.map(web::Json)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RewardParams {
    /// What is offered at or below it.
    place_id: Option<PlaceId>,
    /// What this merchant offers.
    merchant_id: Option<MerchantId>,
    /// What is withdrawn, instead of what is offered.
    #[serde(default)]
    withdrawn: bool,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// What points buy at a place or at a merchant's, newest first
#[utoipa::path(tag = "rewards", params(RewardParams), responses((status = 200, body = Page<RewardView>)))]
#[get("/rewards")]
async fn list(
    state: web::Data<AppState>,
    _: Actor,
    params: Params<RewardParams>,
) -> Result<web::Json<Page<RewardView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let withdrawn = reward::Column::WithdrawnAt;
    let mut rewards = reward::Entity::find();
    rewards = rewards.filter(if params.withdrawn { withdrawn.is_not_null() } else { withdrawn.is_null() });
    if let Some(id) = params.place_id {
        let place = places::named(state.db.read(), id, "?place_id").await?;
        rewards = rewards.filter(places::listed_in(&place, reward::Column::CommunityId, reward::Column::PlacePath));
    }
    if let Some(id) = params.merchant_id {
        rewards = rewards.filter(reward::Column::MerchantId.eq(id));
    }
    let rows = paging.apply(rewards, reward::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, state.db.read(), items).await?, next_cursor }))
}

/// One reward
#[utoipa::path(tag = "rewards", responses((status = 200, body = RewardView)))]
#[get("/rewards/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<RewardId>,
) -> Result<web::Json<RewardView>, Problem> {
    let connection = state.db.read();
    let row = service::find_reward(connection, *id).await?;
    let mut left = None;
    if let Some((allowed, of)) = row.limit_count.zip(row.limit_period) {
        let period = offer::period(of, calendar::local(state.clock.now()).date());
        let used = count::Entity::find_by_id((row.id, actor.user_id, period)).one(connection).await?;
        left = Some((allowed - used.map_or(0, |row| row.used)).max(0));
    }
    Ok(web::Json(RewardView { left_for_me: left, ..view(&state, connection, row).await? }))
}
