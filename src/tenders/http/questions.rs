use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{TenderId, TenderQuestionId};
use entities::tenders::question;
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::tenders::runs;
use crate::identity::Actor;
use crate::platform::http::{Command, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;
use crate::tenders::service::find;
use crate::tenders::service::tenders::{self};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(questions).service(ask).service(answer_question);
}

/// A question and its answer; who asked is not shown.
#[derive(Serialize, ToSchema)]
struct QuestionView {
    id: TenderQuestionId,
    body: String,
    asked_at: DateTime<Utc>,
    answer: Option<String>,
    answered_at: Option<DateTime<Utc>>,
}

impl From<question::Model> for QuestionView {
    fn from(row: question::Model) -> Self {
        let question::Model { id, body, asked_at, answer, answered_at, .. } = row;
        Self { id, body, asked_at, answer, answered_at }
    }
}

/// What was asked about a tender, with the answers; those without an answer are shown to staff of the programme only
#[utoipa::path(tag = "tenders", params(PageParams), responses((status = 200, body = Page<QuestionView>)))]
#[get("/tenders/{id}/questions")]
async fn questions(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<QuestionView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let tender = find(state.db.read(), *id).await?;
    let mut query = question::Entity::find().filter(question::Column::TenderId.eq(*id));
    if !runs(&state, &actor, &tender).await? {
        query = query.filter(question::Column::Answer.is_not_null());
    }
    let rows = paging.apply(query, question::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, QuestionView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    #[garde(custom(text::paragraph(1000)))]
    body: String,
}

/// Ask something about an open tender, for an organisation
#[utoipa::path(tag = "tenders", request_body = Words, responses((status = 201, body = QuestionView)))]
#[post("/tenders/{id}/questions")]
async fn ask(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderId>,
    request: Command<Words>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        tenders::ask(&state, txn, &actor, *id, &request.input.body).await.map(QuestionView::from)
    })
    .await
}

/// Answer a question, for everybody to read
#[utoipa::path(tag = "tenders", request_body = Words, responses((status = 200, body = QuestionView)))]
#[post("/tender-questions/{id}/answer")]
async fn answer_question(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TenderQuestionId>,
    request: Command<Words>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        tenders::answer(&state, txn, &actor, *id, &request.input.body).await.map(QuestionView::from)
    })
    .await
}
