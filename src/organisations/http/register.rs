use actix_web::{get, web};
use entities::ids::{OrganisationId, PlaceId};
use entities::organisations::{OrganisationState, organisation};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::platform::http::{Caller, Page, Paging, Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(register);
}

/// A social organisation of the register.
#[derive(Serialize, ToSchema)]
struct OrganisationView {
    id: OrganisationId,
    name: String,
    state: OrganisationState,
    /// Where it works.
    place_id: Option<PlaceId>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrganisationParams {
    cursor: Option<String>,
    limit: Option<u64>,
}

/// The register of social organisations
#[utoipa::path(tag = "organisations", params(OrganisationParams), responses((status = 200, body = Page<OrganisationView>)))]
#[get("/organisations")]
async fn register(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<OrganisationParams>,
) -> Result<web::Json<Page<OrganisationView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let rows = paging.apply(organisation::Entity::find(), organisation::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| OrganisationView { id: row.id, name: row.name, state: row.state, place_id: row.place_id },
    )))
}
