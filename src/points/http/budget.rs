use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use entities::ids::PlaceId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::ledger;
use crate::places;
use crate::platform::http::{Command, Outcome, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::points::service::budget;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(read).service(raise);
}

/// What a community may still give away.
#[derive(Serialize, ToSchema)]
struct BudgetView {
    community_id: PlaceId,
    /// Absent where nobody has set a budget: nothing limits what rules and staff give.
    available: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BudgetParams {
    /// A community, or a place in one.
    place_id: PlaceId,
}

/// How many points a community may still give away
#[utoipa::path(tag = "points", params(BudgetParams), responses((status = 200, body = BudgetView)))]
#[get("/points/budget")]
async fn read(
    state: web::Data<AppState>,
    _: Actor,
    params: Params<BudgetParams>,
) -> Result<web::Json<BudgetView>, Problem> {
    let connection = state.db.read();
    let (_, community) = places::named_in_community(connection, params.place_id, "?place_id").await?;
    Ok(web::Json(BudgetView { community_id: community, available: ledger::budget(connection, community).await? }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Raise {
    /// The community.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(range(min = 1, max = 10_000_000))]
    amount: i64,
    /// Stands in the notice for everybody to read, for good: no personal data.
    #[garde(custom(text::line(100)))]
    reason: String,
}

/// Raise what a community may give away, with a notice
///
/// From the first time on no more is given than that. An award by hand which the budget does not cover gets 409
/// `points_budget_exhausted`; a rule gives what is left and says so to the person.
#[utoipa::path(tag = "points", request_body = Raise, responses((status = 201, body = BudgetView)))]
#[post("/points/budget")]
async fn raise(state: web::Data<AppState>, actor: Actor, request: Command<Raise>) -> Result<Outcome, Problem> {
    let Raise { place_id, amount, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let (place, community) = places::named_in_community(txn, *place_id, "/place_id").await?;
        let available = budget::raise(&state, txn, &actor, (&place, community), *amount, reason.trim()).await?;
        Ok(BudgetView { community_id: community, available: Some(available) })
    })
    .await
}
