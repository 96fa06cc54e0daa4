use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{MerchantId, PlaceId, UserId};
use entities::rewards::{merchant, merchant_person};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::check_opening;
use crate::identity::{self, Actor, Permission};
use crate::places;
use crate::platform::http::{Body, Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::opening::Opening;
use crate::platform::state::AppState;
use crate::rewards::service;
use crate::rewards::service::merchants::{self, Details};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(mine).service(read).service(edit).service(reveal);
    config.service(people).service(add_person).service(remove_person);
}

/// A shop or an association that hands out rewards.
#[derive(Serialize, ToSchema)]
struct MerchantView {
    id: MerchantId,
    place_id: PlaceId,
    community_id: PlaceId,
    name: String,
    address: String,
    /// When it hands out.
    opening: Option<Opening>,
    /// Masked: `138****0001`.
    phone: Option<String>,
}

impl MerchantView {
    fn new(state: &AppState, row: merchant::Model) -> Result<Self, Problem> {
        Ok(Self {
            phone: merchants::phone(state, &row)?.map(|phone| identity::masked_phone(&phone)),
            opening: service::opening(row.opening.as_ref())?,
            id: row.id,
            place_id: row.place_id,
            community_id: row.community_id,
            name: row.name,
            address: row.address,
        })
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMerchant {
    /// A community, or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(40)))]
    name: String,
    #[garde(custom(text::line(100)))]
    address: String,
    #[garde(custom(check_opening()))]
    opening: Option<Opening>,
    /// 5 to 20 digits; + at the beginning and - between them may stand. Encrypted.
    #[garde(custom(check_phone()))]
    phone: Option<String>,
}

fn check_phone() -> impl Fn(&Option<String>, &()) -> garde::Result {
    |phone, ()| {
        let Some(phone) = phone else { return Ok(()) };
        let digits = phone.strip_prefix('+').unwrap_or(phone);
        let fine = (5..=20).contains(&digits.len())
            && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '-')
            && digits.ends_with(|letter: char| letter.is_ascii_digit());
        if fine { Ok(()) } else { Err(garde::Error::new("须为电话号码 / must be a phone number")) }
    }
}

/// Register a merchant, as staff of the place
#[utoipa::path(tag = "rewards", request_body = NewMerchant, responses((status = 201, body = MerchantView)))]
#[post("/merchants")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewMerchant>) -> Result<Outcome, Problem> {
    let NewMerchant { place_id, name, address, opening, phone } = &request.input;
    let details =
        Details { name: name.trim(), address: address.trim(), opening: opening.as_ref(), phone: phone.as_deref() };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = merchants::create(&state, txn, &actor, *place_id, &details).await?;
        MerchantView::new(&state, row)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditedMerchant {
    #[garde(custom(text::line(40)))]
    name: String,
    #[garde(custom(text::line(100)))]
    address: String,
    #[garde(custom(check_opening()))]
    opening: Option<Opening>,
    /// In full.
    #[garde(custom(check_phone()))]
    phone: Option<String>,
}

/// Write down anew what is known of a merchant: what is left out is emptied
#[utoipa::path(tag = "rewards", request_body = EditedMerchant, responses((status = 200, body = MerchantView)))]
#[put("/merchants/{id}")]
async fn edit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MerchantId>,
    input: Body<EditedMerchant>,
) -> Result<web::Json<MerchantView>, Problem> {
    let EditedMerchant { name, address, opening, phone } = &*input;
    let details =
        Details { name: name.trim(), address: address.trim(), opening: opening.as_ref(), phone: phone.as_deref() };
    let row = transact(&state, async |txn| merchants::edit(&state, txn, &actor, *id, &details).await).await?;
    MerchantView::new(&state, row).map(web::Json)
}

/// Merchants of a place, newest first
#[utoipa::path(tag = "rewards", params(places::ListParams), responses((status = 200, body = Page<MerchantView>)))]
#[get("/merchants")]
async fn list(
    state: web::Data<AppState>,
    _: Actor,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<MerchantView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let there = places::listed_in(&place, merchant::Column::CommunityId, merchant::Column::PlacePath);
    let merchants = merchant::Entity::find().filter(there);
    let rows = paging.apply(merchants, merchant::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = items.into_iter().map(|row| MerchantView::new(&state, row)).collect::<Result<_, _>>()?;
    Ok(web::Json(Page { items, next_cursor }))
}

/// Those for whom one may settle; at most a hundred
#[utoipa::path(tag = "rewards", responses((status = 200, body = [MerchantView])))]
#[get("/me/merchants")]
async fn mine(state: web::Data<AppState>, actor: Actor) -> Result<web::Json<Vec<MerchantView>>, Problem> {
    let mut mine = sea_orm::sea_query::Query::select();
    mine.column(merchant_person::Column::MerchantId)
        .from(merchant_person::Entity)
        .and_where(merchant_person::Column::UserId.eq(actor.user_id));
    let rows = merchant::Entity::find().filter(merchant::Column::Id.in_subquery(mine));
    let rows = rows.order_by_desc(merchant::Column::Id).limit(100).all(state.db.read()).await?;
    rows.into_iter().map(|row| MerchantView::new(&state, row)).collect::<Result<Vec<_>, _>>().map(web::Json)
}

/// One merchant
#[utoipa::path(tag = "rewards", responses((status = 200, body = MerchantView)))]
#[get("/merchants/{id}")]
async fn read(
    state: web::Data<AppState>,
    _: Actor,
    id: web::Path<MerchantId>,
) -> Result<web::Json<MerchantView>, Problem> {
    MerchantView::new(&state, merchants::find(state.db.read(), *id).await?).map(web::Json)
}

/// A merchant's phone number.
#[derive(Serialize, ToSchema)]
struct Contact {
    phone: Option<String>,
}

/// The phone number in full, for staff of the place; each look is audited
#[utoipa::path(tag = "rewards", responses((status = 200, body = Contact)))]
#[get("/merchants/{id}/contact")]
async fn reveal(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MerchantId>,
) -> Result<web::Json<Contact>, Problem> {
    let phone = transact(&state, async |txn| merchants::reveal(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(Contact { phone }))
}

/// Somebody who may settle for a merchant.
#[derive(Serialize, ToSchema)]
struct PersonView {
    user_id: UserId,
    /// Masked: `王**`.
    name: String,
    added_at: DateTime<Utc>,
}

/// Who may settle for a merchant, for staff of the place; at most a hundred
#[utoipa::path(tag = "rewards", responses((status = 200, body = [PersonView])))]
#[get("/merchants/{id}/people")]
async fn people(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<MerchantId>,
) -> Result<web::Json<Vec<PersonView>>, Problem> {
    let connection = state.db.read();
    let row = merchants::find(connection, *id).await?;
    actor.require(Permission::ManageRewards, &row.place_path)?;
    let people = merchant_person::Entity::find().filter(merchant_person::Column::MerchantId.eq(*id));
    let people = people.order_by_asc(merchant_person::Column::AddedAt).limit(100).all(connection).await?;
    let users = user::Entity::find().filter(user::Column::Id.is_in(people.iter().map(|person| person.user_id)));
    let users = users.all(connection).await?;
    let views = people.into_iter().filter_map(|person| {
        let user = users.iter().find(|user| user.id == person.user_id)?;
        Some(PersonView {
            user_id: person.user_id,
            name: identity::masked_name(&user.nickname),
            added_at: person.added_at,
        })
    });
    Ok(web::Json(views.collect()))
}

/// Let somebody settle what a merchant offers; a second time changes nothing
#[utoipa::path(tag = "rewards", responses((status = 204)))]
#[put("/merchants/{id}/people/{user_id}")]
async fn add_person(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(MerchantId, UserId)>,
    _: Body<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (id, person) = *ids;
    transact(&state, async |txn| merchants::add_person(&state, txn, &actor, id, person).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End that, at once
#[utoipa::path(tag = "rewards", responses((status = 204)))]
#[delete("/merchants/{id}/people/{user_id}")]
async fn remove_person(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(MerchantId, UserId)>,
) -> Result<HttpResponse, Problem> {
    let (id, person) = *ids;
    transact(&state, async |txn| merchants::remove_person(&state, txn, &actor, id, person).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
