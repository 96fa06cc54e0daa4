mod budget;
mod manual;
mod rules;
mod wallet;

use actix_web::{get, web};
use entities::ids::PlaceId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::board::{self, Board};
use super::domain::Period;
use crate::identity::Actor;
use crate::places;
use crate::platform::http::{Params, Problem};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(leaderboard);
    wallet::routes(config);
    manual::routes(config);
    rules::routes(config);
    budget::routes(config);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct BoardParams {
    /// A community, or a place in one: a board is a community's.
    place_id: PlaceId,
    /// `month` without it.
    period: Option<Period>,
    /// How many of the first to list: 10 without it, at most 50.
    limit: Option<u64>,
}

/// Who earned most in a community: the first, oneself, and who stands next to one
///
/// Equal points share a rank (1, 2, 2, 4); who had them first stands first. Names are masked; who opted out is neither listed
/// nor counted.
#[utoipa::path(tag = "points", params(BoardParams), responses((status = 200, body = Board)))]
#[get("/leaderboards")]
async fn leaderboard(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<BoardParams>,
) -> Result<web::Json<Board>, Problem> {
    let limit = params.limit.unwrap_or(10);
    if !(1..=50).contains(&limit) {
        return Err(Problem::field("?limit", "1 to 50"));
    }
    let (_, community) = places::named_in_community(state.db.read(), params.place_id, "?place_id").await?;
    let period = params.period.unwrap_or(Period::Month);
    Ok(web::Json(board::read(&state, community, period, actor.user_id, limit).await?))
}
