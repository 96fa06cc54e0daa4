use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use entities::ids::{OrganisationId, PlaceId, PlatformId};
use entities::organisations::{OrganisationState, ServiceField, field, organisation};
use garde::Validate;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::check_phone;
use crate::identity::{Actor, masked_phone};
use crate::organisations::domain::is_credit_code;
use crate::organisations::service::register::{self, Details, Standing};
use crate::platform::http::{Body, Caller, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(enter).service(edit).service(stand).service(reveal);
}

/// A social organisation of the register.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganisationView {
    id: OrganisationId,
    name: String,
    state: OrganisationState,
    /// 统一社会信用代码
    credit_code: Option<String>,
    /// Where it works.
    place_id: Option<PlaceId>,
    purpose: String,
    address: Option<String>,
    /// Masked: `138****0001`.
    phone: Option<String>,
    fields: Vec<ServiceField>,
    /// The base or centre that incubates or guides it.
    incubator_id: Option<PlatformId>,
}

fn view(state: &AppState, row: organisation::Model, fields: Vec<ServiceField>) -> Result<OrganisationView, Problem> {
    Ok(OrganisationView {
        phone: register::phone(state, &row)?.map(|phone| masked_phone(&phone)),
        id: row.id,
        name: row.name,
        state: row.state,
        credit_code: row.credit_code,
        place_id: row.place_id,
        purpose: row.purpose,
        address: row.address,
        fields,
        incubator_id: row.incubator_id,
    })
}

async fn fields_of(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<HashMap<OrganisationId, Vec<ServiceField>>, Problem> {
    let rows = field::Entity::find()
        .filter(field::Column::OrganisationId.is_in(ids))
        .order_by_asc(field::Column::Field)
        .all(connection)
        .await?;
    let mut fields: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        fields.entry(row.organisation_id).or_default().push(row.field);
    }
    Ok(fields)
}

pub(super) async fn viewed(
    state: &AppState,
    connection: &impl ConnectionTrait,
    row: organisation::Model,
) -> Result<OrganisationView, Problem> {
    let fields = fields_of(connection, [row.id]).await?.remove(&row.id).unwrap_or_default();
    view(state, row, fields)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RegisterParams {
    state: Option<OrganisationState>,
    field: Option<ServiceField>,
    /// Those that a base or a centre raises.
    incubator_id: Option<PlatformId>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 100; 20 without it.
    limit: Option<u64>,
}

/// The register of social organisations, newest first
#[utoipa::path(tag = "organisations", params(RegisterParams), responses((status = 200, body = Page<OrganisationView>)))]
#[get("/organisations")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<RegisterParams>,
) -> Result<web::Json<Page<OrganisationView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mut rows = organisation::Entity::find();
    if let Some(wanted) = params.state {
        rows = rows.filter(organisation::Column::State.eq(wanted));
    }
    if let Some(incubator) = params.incubator_id {
        rows = rows.filter(organisation::Column::IncubatorId.eq(incubator));
    }
    if let Some(wanted) = params.field {
        let mut working = Query::select();
        working.column(field::Column::OrganisationId).from(field::Entity).and_where(field::Column::Field.eq(wanted));
        rows = rows.filter(organisation::Column::Id.in_subquery(working));
    }
    let rows = paging.apply(rows, organisation::Column::Id).all(connection).await?;
    let mut fields = fields_of(connection, rows.iter().map(|row| row.id)).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = items.into_iter().map(|row| {
        let fields = fields.remove(&row.id).unwrap_or_default();
        view(&state, row, fields)
    });
    Ok(web::Json(Page { items: items.collect::<Result<_, _>>()?, next_cursor }))
}

fn check_code() -> impl Fn(&Option<String>, &()) -> garde::Result {
    |code, ()| match code {
        Some(code) if !is_credit_code(code) => {
            Err(garde::Error::new("须为18位统一社会信用代码 / must be a unified social credit code"))
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisation {
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    name: String,
    #[garde(skip)]
    state: OrganisationState,
    /// 统一社会信用代码: needed for one that is registered.
    #[garde(custom(check_code()))]
    credit_code: Option<String>,
    /// The base or centre that incubates or guides it.
    #[garde(skip)]
    incubator_id: Option<PlatformId>,
    #[garde(custom(text::paragraph(1000)))]
    purpose: String,
    #[garde(custom(text::optional_line(100)))]
    address: Option<String>,
    /// Encrypted.
    #[garde(custom(check_phone()))]
    phone: Option<String>,
    #[garde(length(max = 4))]
    fields: Vec<ServiceField>,
}

/// Enter an organisation into the register, as staff of its place
#[utoipa::path(tag = "organisations", request_body = NewOrganisation, responses((status = 201, body = OrganisationView)))]
#[post("/organisations")]
async fn enter(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewOrganisation>,
) -> Result<Outcome, Problem> {
    let new = &request.input;
    let standing = Standing {
        state: new.state,
        credit_code: new.credit_code.as_deref(),
        incubator_id: new.incubator_id,
        reason: "登记",
    };
    let details = Details {
        purpose: &new.purpose,
        address: new.address.as_deref(),
        phone: new.phone.as_deref(),
        fields: &new.fields,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = register::enter(&state, txn, &actor, (new.place_id, &new.name), &standing, &details).await?;
        viewed(&state, txn, row).await
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditedOrganisation {
    #[garde(custom(text::paragraph(1000)))]
    purpose: String,
    #[garde(custom(text::optional_line(100)))]
    address: Option<String>,
    /// In full.
    #[garde(custom(check_phone()))]
    phone: Option<String>,
    #[garde(length(max = 4))]
    fields: Vec<ServiceField>,
}

/// Write down anew what is known of an organisation, as its head or as staff: what is left out is emptied
#[utoipa::path(tag = "organisations", request_body = EditedOrganisation, responses((status = 200, body = OrganisationView)))]
#[put("/organisations/{id}")]
async fn edit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
    input: Body<EditedOrganisation>,
) -> Result<web::Json<OrganisationView>, Problem> {
    let EditedOrganisation { purpose, address, phone, fields } = &*input;
    let details = Details { purpose, address: address.as_deref(), phone: phone.as_deref(), fields };
    let row = transact(&state, async |txn| register::edit(&state, txn, &actor, *id, &details).await).await?;
    viewed(&state, state.db.read(), row).await.map(web::Json)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStanding {
    #[garde(skip)]
    state: OrganisationState,
    /// Needed for one that becomes registered and has none yet.
    #[garde(custom(check_code()))]
    credit_code: Option<String>,
    #[garde(skip)]
    incubator_id: Option<PlatformId>,
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Say how an organisation stands from now on, as staff of its place
#[utoipa::path(tag = "organisations", request_body = NewStanding, responses((status = 201, body = OrganisationView)))]
#[post("/organisations/{id}/standings")]
async fn stand(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
    request: Command<NewStanding>,
) -> Result<Outcome, Problem> {
    let NewStanding { state: to, credit_code, incubator_id, reason } = &request.input;
    let standing = Standing { state: *to, credit_code: credit_code.as_deref(), incubator_id: *incubator_id, reason };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = register::stand(&state, txn, &actor, *id, &standing).await?;
        viewed(&state, txn, row).await
    })
    .await
}

/// An organisation's phone number.
#[derive(Serialize, ToSchema)]
struct Contact {
    phone: Option<String>,
}

/// The phone number in full, for its people and staff of its place; each look is audited
#[utoipa::path(tag = "organisations", responses((status = 200, body = Contact)))]
#[get("/organisations/{id}/contact")]
async fn reveal(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
) -> Result<web::Json<Contact>, Problem> {
    let phone = transact(&state, async |txn| register::reveal(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(Contact { phone }))
}
