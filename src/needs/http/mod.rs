mod own;
mod similar;
mod staff;
mod submit;

use actix_web::{delete, get, put, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{FileId, NeedId, PlaceId, ProjectId};
use entities::needs::{
    ConsentHow, NeedCategory, NeedChannel, NeedEventKind, NeedState, Urgency, event, need, need_file,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::domain;
use super::service::{self, Supported, submitting};
use crate::files::{self, Audience, Links};
use crate::identity::{Actor, Permission, masked_name};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Page, Paging, Params, Problem, transact};
use crate::platform::state::AppState;

/// Answers that one view of a page of needs holds; the newest.
const ANSWERS: u64 = 500;

pub(super) fn routes(config: &mut ServiceConfig) {
    // Named paths before `/needs/{id}`, which would take their names for ids.
    submit::routes(config);
    similar::routes(config);
    staff::routes(config);
    own::routes(config);
    config.service(list).service(read).service(support).service(step_out);
}

/// Who recorded a need for somebody else, and how they agreed.
#[derive(Serialize, ToSchema)]
struct BehalfView {
    /// Masked.
    recorder: Option<String>,
    /// Somebody without an account, masked; whoever recorded it and staff see this.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    consent: Option<ConsentHow>,
    consent_at: Option<DateTime<Utc>>,
    disputed_at: Option<DateTime<Utc>>,
}

/// What staff answered in public.
#[derive(Serialize, ToSchema)]
struct AnswerView {
    /// `answered`, `declined` or `resolved`.
    kind: NeedEventKind,
    text: String,
    at: DateTime<Utc>,
}

/// What somebody said instead of writing it, or besides.
#[derive(Serialize, ToSchema)]
struct VoiceView {
    id: FileId,
    /// Good for a quarter to half an hour, without a token.
    url: String,
    duration_ms: i64,
    content_type: String,
}

/// A need.
#[derive(Serialize, ToSchema)]
struct NeedView {
    id: NeedId,
    place_id: PlaceId,
    community_id: PlaceId,
    category: NeedCategory,
    title: String,
    body: String,
    state: NeedState,
    /// Moderators hid it; only its author and they see it.
    hidden: bool,
    anonymous: bool,
    /// Masked; absent for an anonymous need.
    author: Option<String>,
    /// Whether the caller wrote it.
    mine: bool,
    support_count: i64,
    supported_by_me: bool,
    /// Pictures.
    files: Vec<Links>,
    /// What they said.
    voice: Option<VoiceView>,
    created_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    /// The project that takes it up.
    project_id: Option<ProjectId>,
    /// A service of the category; `GET /needs/categories` has their titles.
    service: Option<String>,
    channel: NeedChannel,
    urgency: Urgency,
    /// For whom: words of `GET /needs/categories`.
    #[schema(value_type = Vec<String>)]
    beneficiary_groups: serde_json::Value,
    /// About how many people.
    beneficiary_count: Option<i64>,
    /// Present where somebody else recorded it.
    on_behalf: Option<BehalfView>,
    /// The need that this one went into.
    merged_into: Option<NeedId>,
    /// When staff must have answered.
    due_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    /// Oldest first.
    answers: Vec<AnswerView>,
}

/// Makes views of rows that the caller may see: five queries, however many rows.
async fn views(state: &AppState, actor: &Actor, rows: Vec<need::Model>) -> Result<Vec<NeedView>, Problem> {
    let connection = state.db.read();
    let ids: Vec<NeedId> = rows.iter().map(|row| row.id).collect();
    let supported = service::supported_by(connection, actor.user_id, &ids).await?;
    let pictures = need_file::Entity::find()
        .filter(need_file::Column::NeedId.is_in(ids.iter().copied()))
        .order_by_asc(need_file::Column::Position)
        .all(connection)
        .await?;
    let spoken = pictures.iter().filter(|file| file.voice).map(|file| file.file_id);
    let voices = files::voices(connection, spoken).await?;
    let answers = event::Entity::find()
        .filter(event::Column::NeedId.is_in(ids.iter().copied()))
        .filter(event::Column::Kind.is_in([NeedEventKind::Answered, NeedEventKind::Declined, NeedEventKind::Resolved]))
        .order_by_desc(event::Column::Id)
        .limit(ANSWERS)
        .all(connection)
        .await?;
    let named = rows.iter().flat_map(|row| row.author_id.filter(|_| !row.anonymous).into_iter().chain(row.recorder_id));
    let authors = user::Entity::find().filter(user::Column::Id.is_in(named)).all(connection).await?;
    let name = |id| authors.iter().find(|person| Some(person.id) == id).map(|person| masked_name(&person.nickname));
    let views = rows.into_iter().map(|row| {
        let audience = if domain::is_public(row.state, row.hidden) { Audience::Public } else { Audience::Insider };
        let pictures = pictures.iter().filter(|picture| picture.need_id == row.id);
        let insider = row.recorder_id == Some(actor.user_id) || actor.may(Permission::Moderate, &row.place_path);
        let subject =
            if insider { submitting::subject_of(state, &row)?.map(|one| masked_name(&one.name)) } else { None };
        let on_behalf = row.recorder_id.map(|recorder| BehalfView {
            recorder: name(Some(recorder)),
            subject,
            consent: row.consent_how,
            consent_at: row.consent_at,
            disputed_at: row.disputed_at,
        });
        let answers = answers.iter().rev().filter(|answer| answer.need_id == row.id).map(|answer| AnswerView {
            kind: answer.kind,
            text: answer.text.clone().unwrap_or_default(),
            at: answer.at,
        });
        Ok(NeedView {
            on_behalf,
            answers: answers.collect(),
            author: row.author_id.filter(|_| !row.anonymous).and_then(|author| name(Some(author))),
            mine: row.author_id == Some(actor.user_id),
            supported_by_me: supported.contains(&row.id),
            voice: pictures.clone().find(|file| file.voice).and_then(|file| {
                let sound = voices.iter().find(|sound| sound.id == file.file_id)?;
                Some(VoiceView {
                    id: file.file_id,
                    url: files::link(state, file.file_id, audience).url,
                    duration_ms: sound.duration_ms,
                    content_type: sound.content_type.clone(),
                })
            }),
            files: pictures.filter(|file| !file.voice).map(|file| files::link(state, file.file_id, audience)).collect(),
            id: row.id,
            place_id: row.place_id,
            community_id: row.community_id,
            category: row.category,
            title: row.title,
            body: row.body,
            state: row.state,
            hidden: row.hidden,
            anonymous: row.anonymous,
            support_count: row.support_count,
            created_at: row.created_at,
            published_at: row.published_at,
            project_id: row.project_id,
            service: row.service,
            channel: row.channel,
            urgency: row.urgency,
            beneficiary_groups: row.beneficiary_groups,
            beneficiary_count: row.beneficiary_count,
            merged_into: row.merged_into,
            due_at: row.due_at,
            answered_at: row.answered_at,
        })
    });
    views.collect()
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Needs at and below this place.
    place_id: Option<PlaceId>,
    state: Option<NeedState>,
    category: Option<NeedCategory>,
    /// One's own, in every state.
    #[serde(default)]
    mine: bool,
    /// What one recorded for others, in every state.
    #[serde(default)]
    recorded: bool,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Needs that everybody may see, or all of one's own
#[utoipa::path(tag = "needs", params(ListParams), responses((status = 200, body = Page<NeedView>)))]
#[get("/needs")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ListParams>,
) -> Result<web::Json<Page<NeedView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mut needs = need::Entity::find();
    needs = if params.mine {
        needs.filter(need::Column::AuthorId.eq(actor.user_id))
    } else if params.recorded {
        needs.filter(need::Column::RecorderId.eq(actor.user_id))
    } else {
        needs.filter(need::Column::Hidden.eq(false)).filter(need::Column::State.is_in(domain::PUBLIC))
    };
    if let Some(id) = params.place_id {
        let place = places::named(state.db.read(), id, "?place_id").await?;
        needs = needs.filter(places::listed_in(&place, need::Column::CommunityId, need::Column::PlacePath));
    }
    if let Some(wanted) = params.state {
        needs = needs.filter(need::Column::State.eq(wanted));
    }
    if let Some(category) = params.category {
        needs = needs.filter(need::Column::Category.eq(category));
    }
    let rows = paging.apply(needs, need::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, &actor, items).await?, next_cursor }))
}

/// One view.
async fn view(state: &AppState, actor: &Actor, row: need::Model) -> Result<NeedView, Problem> {
    views(state, actor, vec![row]).await?.pop().ok_or_else(|| Code::Internal.into())
}

/// One need; in review or hidden it is shown to its author and to moderators only
#[utoipa::path(tag = "needs", responses((status = 200, body = NeedView)))]
#[get("/needs/{id}")]
async fn read(state: web::Data<AppState>, actor: Actor, id: web::Path<NeedId>) -> Result<web::Json<NeedView>, Problem> {
    let row = service::find(state.db.read(), &actor, *id).await?;
    Ok(web::Json(view(&state, &actor, row).await?))
}

/// Who supports a need, counted.
#[derive(Serialize, ToSchema)]
struct SupportView {
    id: NeedId,
    support_count: i64,
    supported_by_me: bool,
}

impl SupportView {
    fn new(id: NeedId, supported: &Supported) -> Self {
        Self { id, support_count: supported.count, supported_by_me: supported.by_me }
    }
}

/// Support a neighbour's need; a second time changes nothing
#[utoipa::path(tag = "needs", responses((status = 200, body = SupportView)))]
#[put("/needs/{id}/support")]
async fn support(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
) -> Result<web::Json<SupportView>, Problem> {
    let supported = transact(&state, async |txn| service::support(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(SupportView::new(*id, &supported)))
}

/// Take one's support back; a second time changes nothing
#[utoipa::path(tag = "needs", responses((status = 200, body = SupportView)))]
#[delete("/needs/{id}/support")]
async fn step_out(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NeedId>,
) -> Result<web::Json<SupportView>, Problem> {
    let supported = transact(&state, async |txn| service::step_out(txn, &actor, *id).await).await?;
    Ok(web::Json(SupportView::new(*id, &supported)))
}
