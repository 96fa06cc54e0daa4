use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use entities::ids::{NeedId, NeedMergeId, PlaceId};
use entities::needs::{NeedState, need};
use garde::Validate;
use sea_orm::QueryFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{NeedView, views};
use crate::identity::{Actor, Permission};
use crate::needs::service::answers::{self, Answer};
use crate::needs::service::merging;
use crate::places;
use crate::platform::http::{Command, Key, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(overdue).service(merge).service(unmerge).service(answer).service(decline).service(resolve);
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OverdueParams {
    /// All of one's places without it.
    place_id: Option<PlaceId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Published needs whose public answer is overdue, for staff
#[utoipa::path(tag = "needs", params(OverdueParams), responses((status = 200, body = Page<NeedView>)))]
#[get("/needs/overdue")]
async fn overdue(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<OverdueParams>,
) -> Result<web::Json<Page<NeedView>>, Problem> {
    let paths = actor.require_somewhere(Permission::Moderate)?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = match params.place_id {
        Some(id) => {
            let place = places::named(state.db.read(), id, "?place_id").await?;
            actor.require(Permission::Moderate, &place.path)?;
            places::listed_in(&place, need::Column::CommunityId, need::Column::PlacePath)
        }
        None => places::within_any(need::Column::PlacePath, paths),
    };
    let rows = answers::overdue(state.clock.now()).filter(place);
    let rows = paging.apply(rows, need::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, &actor, items).await?, next_cursor }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct MergeInput {
    /// Another need of the community, open to support.
    #[garde(skip)]
    into: NeedId,
    /// Residents read it.
    #[garde(custom(text::paragraph(500)))]
    reason: String,
}

/// A need that went into another.
#[derive(Serialize, ToSchema)]
struct WentInto {
    id: NeedId,
    merge_id: NeedMergeId,
    merged_into: NeedId,
    /// Of the need that took it in.
    support_count: i64,
}

/// Merge a published need into another; its supporters go with it and are told
#[utoipa::path(tag = "needs", request_body = MergeInput, responses((status = 200, body = WentInto)))]
#[post("/needs/{id}/merge")]
async fn merge(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<MergeInput>,
) -> Result<Outcome, Problem> {
    let MergeInput { into, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, support_count) = merging::merge(&state, txn, &actor, (*id, *into), reason.trim()).await?;
        Ok(WentInto { id: row.source_id, merge_id: row.id, merged_into: row.target_id, support_count })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct TextInput {
    /// Residents read it.
    #[garde(custom(text::paragraph(1000)))]
    text: String,
}

/// A need after what was done to it.
#[derive(Serialize, ToSchema)]
pub(super) struct Stands {
    id: NeedId,
    state: NeedState,
    support_count: i64,
}

impl From<need::Model> for Stands {
    fn from(row: need::Model) -> Self {
        Self { id: row.id, state: row.state, support_count: row.support_count }
    }
}

/// Take a merge back: the need is published again with its supporters
#[utoipa::path(tag = "needs", request_body = TextInput, responses((status = 200, body = Stands)))]
#[post("/needs/{id}/unmerge")]
async fn unmerge(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<TextInput>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (row, _) = merging::undo(&state, txn, &actor, *id, request.input.text.trim()).await?;
        Ok(Stands::from(row))
    })
    .await
}

async fn give(
    state: &AppState,
    actor: &Actor,
    id: NeedId,
    (key, text): (&Key, &str),
    how: Answer,
) -> Result<Outcome, Problem> {
    command(state, actor.user_id, key, StatusCode::OK, async |txn| {
        answers::answer(state, txn, actor, id, (how, text.trim())).await.map(Stands::from)
    })
    .await
}

/// Answer a need in public; it can be answered again
#[utoipa::path(tag = "needs", request_body = TextInput, responses((status = 200, body = Stands)))]
#[post("/needs/{id}/answers")]
async fn answer(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<TextInput>,
) -> Result<Outcome, Problem> {
    give(&state, &actor, *id, (&request.key, &request.input.text), Answer::Word).await
}

/// Decline a need in public, with the reason
#[utoipa::path(tag = "needs", request_body = TextInput, responses((status = 200, body = Stands)))]
#[post("/needs/{id}/decline")]
async fn decline(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<TextInput>,
) -> Result<Outcome, Problem> {
    give(&state, &actor, *id, (&request.key, &request.input.text), Answer::Decline).await
}

/// Say in public that a need is met, and how
#[utoipa::path(tag = "needs", request_body = TextInput, responses((status = 200, body = Stands)))]
#[post("/needs/{id}/resolve")]
async fn resolve(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
    request: Command<TextInput>,
) -> Result<Outcome, Problem> {
    give(&state, &actor, *id, (&request.key, &request.input.text), Answer::Resolve).await
}
