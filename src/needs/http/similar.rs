use actix_web::{get, web};
use entities::ids::PlaceId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{NeedView, views};
use crate::identity::Actor;
use crate::needs::domain::words;
use crate::needs::service::similar;
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Params, Problem, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(find);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SimilarParams {
    /// A community, or a place in one.
    place_id: PlaceId,
    /// At most 60 characters.
    title: String,
    /// At most 500 characters: the beginning is enough.
    body: Option<String>,
}

/// A need that is like what somebody is about to write.
#[derive(Serialize, ToSchema)]
struct SimilarView {
    need: NeedView,
    /// Thousandths; 1000 has the same words.
    likeness: i64,
}

/// Needs to show before one is submitted.
#[derive(Serialize, ToSchema)]
struct SimilarNeeds {
    /// At most ten: the most alike, nearest and newest first.
    items: Vec<SimilarView>,
}

/// Open needs of the community that are like a text, so that one supports a neighbour's instead of writing it again
#[utoipa::path(tag = "needs", params(SimilarParams), responses((status = 200, body = SimilarNeeds)))]
#[get("/needs/similar")]
async fn find(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<SimilarParams>,
) -> Result<web::Json<SimilarNeeds>, Problem> {
    let body = params.body.clone().unwrap_or_default();
    let checked = |name: &str, value: &str, max: usize| {
        text::paragraph(max)(value, &()).map_err(|error| Problem::field(name, error.message().to_owned()))
    };
    checked("?title", &params.title, 60)?;
    if !body.is_empty() {
        checked("?body", &body, 500)?;
    }
    let (place, community) = places::named_in_community(state.db.read(), params.place_id, "?place_id").await?;
    // The first question of a process reads the dictionary, and that takes a second.
    let title = params.title.clone();
    let asked = web::block(move || words::terms(&title, &body)).await;
    let asked = asked.map_err(|error| Problem::from(Code::Internal).caused_by(error.to_string()))?;
    let found = similar::find(&state, state.db.read(), community, &place.path, &asked).await?;
    let (rows, alike): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let items = views(&state, &actor, rows).await?.into_iter().zip(alike);
    let items = items.map(|(need, likeness)| SimilarView { need, likeness }).collect();
    Ok(web::Json(SimilarNeeds { items }))
}
