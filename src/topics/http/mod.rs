mod comments;
mod deliberations;

use actix_web::http::StatusCode;
use actix_web::{delete, get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{DeliberationId, NeedId, PlaceId, PollId, TopicId};
use entities::topics::{Resolution, TopicState, topic};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use self::deliberations::{DeliberationView, views};
use super::domain;
use super::resolving::{self, Decision};
use super::service::{self, NewTopic, deliberations as meetings};
use crate::identity::Actor;
use crate::places;
use crate::platform::http::{Caller, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(create).service(read).service(add_needs).service(remove_need).service(resolve);
    deliberations::routes(config);
    comments::routes(config);
}

/// A topic.
#[derive(Serialize, ToSchema)]
struct TopicView {
    id: TopicId,
    place_id: PlaceId,
    community_id: PlaceId,
    title: String,
    summary: String,
    state: TopicState,
    resolution: Option<Resolution>,
    /// Chinese.
    resolution_title: Option<&'static str>,
    reason: Option<String>,
    /// Of a vote.
    poll_id: Option<PollId>,
    /// What the vote came to.
    adopted: Option<bool>,
    created_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
}

impl From<topic::Model> for TopicView {
    fn from(row: topic::Model) -> Self {
        Self {
            id: row.id,
            place_id: row.place_id,
            community_id: row.community_id,
            title: row.title,
            summary: row.summary,
            state: row.state,
            resolution: row.resolution,
            resolution_title: row.resolution.map(domain::title),
            reason: row.reason,
            poll_id: row.poll_id,
            adopted: row.adopted,
            created_at: row.created_at,
            decided_at: row.decided_at,
        }
    }
}

/// A topic with what belongs to it.
#[derive(Serialize, ToSchema)]
struct TopicDetail {
    #[serde(flatten)]
    topic: TopicView,
    /// At most 200; each is read by its own id.
    need_ids: Vec<NeedId>,
    /// Oldest first.
    deliberations: Vec<DeliberationView>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// This place and those below it.
    place_id: PlaceId,
    state: Option<TopicState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Topics of a place
#[utoipa::path(tag = "topics", params(ListParams), responses((status = 200, body = Page<TopicView>)))]
#[get("/topics")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<ListParams>,
) -> Result<web::Json<Page<TopicView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let listed = places::listed_in(&place, topic::Column::CommunityId, topic::Column::PlacePath);
    let mut topics = topic::Entity::find().filter(listed);
    if let Some(wanted) = params.state {
        topics = topics.filter(topic::Column::State.eq(wanted));
    }
    let rows = paging.apply(topics, topic::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, TopicView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTopicInput {
    /// A community, or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(custom(text::paragraph(2000)))]
    summary: String,
    /// Published needs of the community.
    #[garde(length(max = 50))]
    #[serde(default)]
    need_ids: Vec<NeedId>,
}

/// Open a topic; the needs in it are in no other
#[utoipa::path(tag = "topics", request_body = NewTopicInput, responses((status = 201, body = TopicView)))]
#[post("/topics")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewTopicInput>) -> Result<Outcome, Problem> {
    let NewTopicInput { place_id, title, summary, need_ids } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let new = NewTopic { place_id: *place_id, title: title.trim(), summary: summary.trim(), need_ids };
        service::create(&state, txn, &actor, new).await.map(TopicView::from)
    })
    .await
}

/// One topic, with its needs and deliberations
#[utoipa::path(tag = "topics", responses((status = 200, body = TopicDetail)))]
#[get("/topics/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TopicId>,
) -> Result<web::Json<TopicDetail>, Problem> {
    let connection = state.db.read();
    let topic = service::find(connection, *id).await?;
    let need_ids = service::needs_of(connection, *id).await?;
    let held = meetings::of_topic(connection, *id).await?;
    Ok(web::Json(TopicDetail { topic: topic.into(), need_ids, deliberations: views(&state, &actor, held).await? }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct MoreNeeds {
    #[garde(length(min = 1, max = 50))]
    need_ids: Vec<NeedId>,
}

/// Take more published needs into an open topic
#[utoipa::path(tag = "topics", request_body = MoreNeeds, responses((status = 200, body = TopicView)))]
#[post("/topics/{id}/needs")]
async fn add_needs(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TopicId>,
    request: Command<MoreNeeds>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::add(&state, txn, &actor, *id, &request.input.need_ids).await.map(TopicView::from)
    })
    .await
}

/// Take a need out of an open topic; it is published as before
#[utoipa::path(tag = "topics", responses((status = 200, body = TopicView)))]
#[delete("/topics/{id}/needs/{need_id}")]
async fn remove_need(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(TopicId, NeedId)>,
) -> Result<web::Json<TopicView>, Problem> {
    let (id, need) = *path;
    let row = transact(&state, async |txn| service::take_out(&state, txn, &actor, id, need).await).await?;
    Ok(web::Json(row.into()))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResolutionInput {
    #[garde(skip)]
    resolution: Resolution,
    /// Residents read it; where the needs end with it, it is their public answer.
    #[garde(custom(text::paragraph(1000)))]
    reason: String,
    /// The deliberation that decided; its minutes must be confirmed.
    #[garde(skip)]
    deliberation_id: Option<DeliberationId>,
    /// Of a vote: when it ends.
    #[garde(skip)]
    closes_at: Option<DateTime<Utc>>,
}

/// Decide on an open topic, once; the decision is put on the board
///
/// `vote` drafts a yes-or-no poll (`poll_id`), which staff open; when it closes the topic takes its result.
#[utoipa::path(tag = "topics", request_body = ResolutionInput, responses((status = 200, body = TopicView)))]
#[post("/topics/{id}/resolution")]
async fn resolve(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TopicId>,
    request: Command<ResolutionInput>,
) -> Result<Outcome, Problem> {
    let ResolutionInput { resolution, reason, deliberation_id, closes_at } = &request.input;
    if closes_at.is_some() && *resolution != Resolution::Vote {
        return Err(Problem::field("/closes_at", "仅用于表决 / only of a vote"));
    }
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let decision = Decision {
            resolution: *resolution,
            reason: reason.trim(),
            deliberation_id: *deliberation_id,
            closes_at: *closes_at,
        };
        resolving::resolve(&state, txn, &actor, *id, decision).await.map(TopicView::from)
    })
    .await
}
