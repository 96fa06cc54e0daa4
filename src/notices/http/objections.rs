use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{NoticeId, ObjectionId, PlaceId};
use entities::notices::{ObjectionState, objection};
use garde::Validate;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, masked_name};
use crate::notices::{moderated, service};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(submit).service(list).service(waiting).service(answer);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewObjectionInput {
    /// What is wrong, and why.
    #[garde(custom(text::paragraph(2000)))]
    text: String,
}

/// How an objection is decided.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Decision {
    /// It is right: what the notice says does not take effect.
    Upheld,
    /// It is not.
    Dismissed,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplyInput {
    #[garde(skip)]
    outcome: Decision,
    /// What everybody reads.
    #[garde(custom(text::paragraph(2000)))]
    reply: String,
}

/// What somebody has against a notice, and the reply.
#[derive(Serialize, ToSchema)]
struct ObjectionView {
    id: ObjectionId,
    notice_id: NoticeId,
    /// Masked.
    author: String,
    /// Whether the caller wrote it.
    mine: bool,
    /// Absent while it waits for content security, and when moderators hid it; its author and staff see it.
    text: Option<String>,
    state: ObjectionState,
    created_at: DateTime<Utc>,
    reply_due: DateTime<Utc>,
    /// The time for the reply is over, and there is none.
    overdue: bool,
    reply: Option<String>,
    replied_at: Option<DateTime<Utc>>,
    /// The reply's own notice; its `commitment` is SHA-256 over `salt:document`, the document being the JSON array
    /// `["linli.objection.v1", id, text, state, reply]` without white space.
    reply_notice_id: Option<NoticeId>,
    /// For who sees the text.
    salt: Option<String>,
}

/// One query for the names, however many objections.
async fn views(state: &AppState, actor: &Actor, rows: Vec<objection::Model>) -> Result<Vec<ObjectionView>, Problem> {
    let authors = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.author_id)));
    let authors = authors.all(state.db.read()).await?;
    let now = state.clock.now();
    let views = rows.into_iter().map(|row| {
        let author = authors.iter().find(|person| person.id == row.author_id);
        let mine = row.author_id == actor.user_id;
        let open = moderated::is_public(&row) || mine || service::may_answer(actor, &row.place_path);
        ObjectionView {
            author: author.map(|person| masked_name(&person.nickname)).unwrap_or_default(),
            mine,
            overdue: row.state == ObjectionState::Open && row.reply_due < now,
            id: row.id,
            notice_id: row.notice_id,
            text: open.then_some(row.text),
            state: row.state,
            created_at: row.created_at,
            reply_due: row.reply_due,
            reply: row.reply,
            replied_at: row.replied_at,
            reply_notice_id: row.reply_notice_id,
            salt: row.salt.filter(|_| open),
        }
    });
    Ok(views.collect())
}

async fn view(state: &AppState, actor: &Actor, row: objection::Model) -> Result<ObjectionView, Problem> {
    views(state, actor, vec![row]).await?.pop().ok_or_else(|| Code::Internal.into())
}

/// Object to a notice while its window is open
///
/// For verified residents of its place and for everybody who belongs to an organisation; one at a time.
#[utoipa::path(tag = "notices", request_body = NewObjectionInput, responses((status = 201, body = ObjectionView)))]
#[post("/notices/{id}/objections")]
async fn submit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NoticeId>,
    request: Command<NewObjectionInput>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = service::object(&state, txn, &actor, *id, request.input.text.trim()).await?;
        view(&state, &actor, row).await
    })
    .await
}

/// The objections to a notice and their replies, newest first
///
/// All of them are listed; a text that waits for content security or was hidden is left out.
#[utoipa::path(tag = "notices", params(PageParams), responses((status = 200, body = Page<ObjectionView>)))]
#[get("/notices/{id}/objections")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<NoticeId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ObjectionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    service::board_of(state.db.read(), *id).await?;
    let objections = objection::Entity::find().filter(objection::Column::NoticeId.eq(*id));
    let rows = paging.apply(objections, objection::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, &actor, items).await?, next_cursor }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaitingParams {
    /// At the boards of this place and below it.
    place_id: PlaceId,
    /// Only those whose time for a reply is over.
    #[serde(default)]
    overdue: bool,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Objections that wait for a reply; for staff of the place
#[utoipa::path(tag = "notices", params(WaitingParams), responses((status = 200, body = Page<ObjectionView>)))]
#[get("/objections")]
async fn waiting(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<WaitingParams>,
) -> Result<web::Json<Page<ObjectionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    if !service::may_answer(&actor, &place.path) {
        return Err(Code::Forbidden.into());
    }
    let mut there = Condition::all()
        .add(places::within(objection::Column::PlacePath, &place.path))
        .add(objection::Column::State.eq(ObjectionState::Open));
    if params.overdue {
        there = there.add(objection::Column::ReplyDue.lt(state.clock.now()));
    }
    let rows =
        paging.apply(objection::Entity::find().filter(there), objection::Column::Id).all(state.db.read()).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    Ok(web::Json(Page { items: views(&state, &actor, items).await?, next_cursor }))
}

/// Answer an objection, once; for staff of the place
///
/// The answer is public and makes a notice of its own.
#[utoipa::path(tag = "notices", request_body = ReplyInput, responses((status = 200, body = ObjectionView)))]
#[post("/objections/{id}/reply")]
async fn answer(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ObjectionId>,
    request: Command<ReplyInput>,
) -> Result<Outcome, Problem> {
    let outcome = match request.input.outcome {
        Decision::Upheld => ObjectionState::Upheld,
        Decision::Dismissed => ObjectionState::Dismissed,
    };
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = service::reply(&state, txn, &actor, *id, outcome, request.input.reply.trim()).await?;
        view(&state, &actor, row).await
    })
    .await
}
