use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{TopicCommentId, TopicId};
use entities::topics::comment;
use garde::Validate;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, Permission, masked_name};
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::topics::{comments, service};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(write);
}

/// What a resident says on a topic.
#[derive(Serialize, ToSchema)]
struct CommentView {
    id: TopicCommentId,
    /// Masked.
    author: Option<String>,
    mine: bool,
    body: String,
    /// Whether everybody sees it.
    published: bool,
    /// Moderators hid it.
    hidden: bool,
    created_at: DateTime<Utc>,
}

/// Comments on a topic: those that everybody may see, and one's own; moderators see all
#[utoipa::path(tag = "topics", params(PageParams), responses((status = 200, body = Page<CommentView>)))]
#[get("/topics/{id}/comments")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TopicId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<CommentView>>, Problem> {
    let connection = state.db.read();
    let topic = service::find(connection, *id).await?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mut rows = comment::Entity::find().filter(comment::Column::TopicId.eq(*id));
    if !actor.may(Permission::Moderate, &topic.place_path) {
        let shown = Condition::all().add(comment::Column::Published.eq(true)).add(comment::Column::Hidden.eq(false));
        rows = rows.filter(Condition::any().add(shown).add(comment::Column::AuthorId.eq(actor.user_id)));
    }
    let rows = paging.apply(rows, comment::Column::Id).all(connection).await?;
    let authors = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.author_id)));
    let authors = authors.all(connection).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| CommentView {
            author: authors.iter().find(|one| one.id == row.author_id).map(|one| masked_name(&one.nickname)),
            mine: row.author_id == actor.user_id,
            id: row.id,
            body: row.body,
            published: row.published,
            hidden: row.hidden,
            created_at: row.created_at,
        },
    )))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    #[garde(custom(text::paragraph(500)))]
    body: String,
}

/// A comment that waits for content security.
#[derive(Serialize, ToSchema)]
struct Commented {
    id: TopicCommentId,
}

/// Say something on a topic, as a verified resident of its place; others see it once content security has passed
#[utoipa::path(tag = "topics", request_body = NewComment, responses((status = 201, body = Commented)))]
#[post("/topics/{id}/comments")]
async fn write(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TopicId>,
    request: Command<NewComment>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = comments::write(&state, txn, &actor, *id, request.input.body.trim()).await?;
        Ok(Commented { id: row.id })
    })
    .await
}
