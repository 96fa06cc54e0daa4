use actix_web::{get, web};
use entities::ids::PlaceId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Board, read};
use crate::identity::Actor;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Params, Problem};
use crate::platform::state::AppState;
use crate::points::domain::Period;

pub(in crate::points) fn routes(config: &mut ServiceConfig) {
    config.service(leaderboard);
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
    limit: Option<usize>,
}

/// Who earned most in a community: the first, oneself, and who stands next to one
///
/// Equal points share a rank (1, 2, 2, 4); who had them first stands first. Names are masked; who opted out is neither listed
/// nor counted. An award shows about a second later. A community may have switched its boards off: 404 `leaderboard_off`.
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
    let connection = state.db.read();
    let (place, community) = places::named_in_community(connection, params.place_id, "?place_id").await?;
    if !places::rules_at(&state, connection, &place).await?.leaderboard {
        return Err(Code::LeaderboardOff.into());
    }
    let period = params.period.unwrap_or(Period::Month);
    Ok(web::Json(read(&state, community, period, actor.user_id, limit).await?))
}
