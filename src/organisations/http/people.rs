use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{OrganisationId, OrganisationPersonId, UserId};
use entities::organisations::{PersonRole, organisation, person};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::names;
use crate::identity::Actor;
use crate::organisations::service::people;
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(add).service(list).service(end).service(mine);
}

/// Somebody of an organisation.
#[derive(Serialize, ToSchema)]
struct PersonView {
    id: OrganisationPersonId,
    user_id: UserId,
    /// Masked: `王**`.
    name: String,
    role: PersonRole,
    /// What they do there.
    duty: String,
    since: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

fn view(row: person::Model, names: &HashMap<UserId, String>) -> PersonView {
    PersonView {
        id: row.id,
        user_id: row.user_id,
        name: names.get(&row.user_id).cloned().unwrap_or_default(),
        role: row.role,
        duty: row.duty,
        since: row.since,
        ended_at: row.ended_at,
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    #[garde(skip)]
    user_id: UserId,
    /// Only staff name a head.
    #[garde(skip)]
    role: PersonRole,
    #[garde(custom(text::line(40)))]
    duty: String,
}

/// Add somebody: staff of the organisation's place anybody, its head ordinary members
#[utoipa::path(tag = "organisations", request_body = NewPerson, responses((status = 201, body = PersonView)))]
#[post("/organisations/{id}/people")]
async fn add(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
    request: Command<NewPerson>,
) -> Result<Outcome, Problem> {
    let NewPerson { user_id, role, duty } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = people::add(&state, txn, &actor, *id, (*user_id, *role, duty)).await?;
        let names = names(txn, [row.user_id]).await?;
        Ok(view(row, &names))
    })
    .await
}

/// Who belongs to an organisation, and did: for its own people and staff of its place
#[utoipa::path(tag = "organisations", params(PageParams), responses((status = 200, body = Page<PersonView>)))]
#[get("/organisations/{id}/people")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<PersonView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    people::require_insight(connection, &actor, *id).await?;
    let all = person::Entity::find().filter(person::Column::OrganisationId.eq(*id));
    let rows = paging.apply(all, person::Column::Id).all(connection).await?;
    let names = names(connection, rows.iter().map(|row| row.user_id)).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, |row| view(row, &names))))
}

/// End somebody's belonging: oneself, a head for ordinary members, staff for anybody
#[utoipa::path(tag = "organisations", responses((status = 204)))]
#[delete("/organisations/{id}/people/{person_id}")]
async fn end(
    state: web::Data<AppState>,
    actor: Actor,
    ids: web::Path<(OrganisationId, OrganisationPersonId)>,
) -> Result<HttpResponse, Problem> {
    let (id, person) = *ids;
    transact(&state, async |txn| people::end(&state, txn, &actor, id, person).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An organisation that the caller belongs to.
#[derive(Serialize, ToSchema)]
struct OwnOrganisation {
    id: OrganisationId,
    name: String,
    person_id: OrganisationPersonId,
    role: PersonRole,
    duty: String,
    since: DateTime<Utc>,
}

/// The organisations that one belongs to; at most a hundred
#[utoipa::path(tag = "organisations", responses((status = 200, body = [OwnOrganisation])))]
#[get("/me/organisations")]
async fn mine(state: web::Data<AppState>, actor: Actor) -> Result<web::Json<Vec<OwnOrganisation>>, Problem> {
    let own = person::Entity::find()
        .filter(person::Column::UserId.eq(actor.user_id))
        .filter(person::Column::EndedAt.is_null())
        .order_by_desc(person::Column::Id)
        .limit(100)
        .all(state.db.read())
        .await?;
    let behind = organisation::Column::Id.is_in(own.iter().map(|row| row.organisation_id));
    let organisations = organisation::Entity::find().filter(behind).all(state.db.read()).await?;
    let views = own.into_iter().filter_map(|row| {
        let behind = organisations.iter().find(|behind| behind.id == row.organisation_id)?;
        Some(OwnOrganisation {
            id: behind.id,
            name: behind.name.clone(),
            person_id: row.id,
            role: row.role,
            duty: row.duty,
            since: row.since,
        })
    });
    Ok(web::Json(views.collect()))
}
