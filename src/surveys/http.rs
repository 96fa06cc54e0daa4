use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, SurveyId, SurveyPushId};
use entities::surveys::{audience, push, survey};
use garde::Validate;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::SurveyState;
use super::domain::Question;
use super::service::{self, Draft, Sight};
use super::statistics::{self, Statistics};
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Body, Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(publish)
        .service(push_to)
        .service(respond)
        .service(figures);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSurvey {
    /// A community or a place in one.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(100)))]
    title: String,
    /// 1 to 100.
    #[garde(dive)]
    questions: Vec<Question>,
    /// Nobody can see who answered what, and figures behind which few people stand are hidden.
    #[garde(skip)]
    #[serde(default)]
    anonymous: bool,
}

/// Where a survey stands.
#[derive(Serialize, ToSchema)]
struct Stand {
    id: SurveyId,
    state: SurveyState,
}

impl From<survey::Model> for Stand {
    fn from(row: survey::Model) -> Self {
        Self { id: row.id, state: row.state }
    }
}

/// A survey in a list.
#[derive(Serialize, ToSchema)]
struct SurveyItem {
    id: SurveyId,
    place_id: PlaceId,
    title: String,
    anonymous: bool,
    state: SurveyState,
    published_at: Option<DateTime<Utc>>,
    /// Whether one was asked.
    asked_me: bool,
    answered_by_me: bool,
}

impl SurveyItem {
    fn new(row: &survey::Model, asked: Option<bool>) -> Self {
        Self {
            id: row.id,
            place_id: row.place_id,
            title: row.title.clone(),
            anonymous: row.anonymous,
            state: row.state,
            published_at: row.published_at,
            asked_me: asked.is_some(),
            answered_by_me: asked.unwrap_or(false),
        }
    }
}

/// A survey with its questions.
#[derive(Serialize, ToSchema)]
struct SurveyView {
    #[serde(flatten)]
    survey: SurveyItem,
    questions: Vec<Question>,
}

/// Write a survey as a draft
#[utoipa::path(tag = "surveys", request_body = NewSurvey, responses((status = 201, body = Stand)))]
#[post("/surveys")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<NewSurvey>) -> Result<Outcome, Problem> {
    let NewSurvey { place_id, title, questions, anonymous } = request.input;
    let draft = Draft { place_id, title, questions, anonymous };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::create(&state, txn, &actor, &draft).await.map(Stand::from)
    })
    .await
}

/// Publish a draft; from then on its questions stand
#[utoipa::path(tag = "surveys", responses((status = 200, body = Stand)))]
#[post("/surveys/{id}/publish")]
async fn publish(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SurveyId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::publish(&state, txn, &actor, *id).await.map(Stand::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPush {
    /// 1 to 100 buildings, each of which one may push to.
    #[garde(custom(some_buildings))]
    building_ids: Vec<PlaceId>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "garde's signature")]
fn some_buildings(ids: &[PlaceId], (): &()) -> garde::Result {
    if (1..=100).contains(&ids.len()) {
        Ok(())
    } else {
        Err(garde::Error::new("须有 1 到 100 个门栋 / 1 to 100 buildings"))
    }
}

/// A survey sent to the doors of some buildings.
#[derive(Serialize, ToSchema)]
struct Pushed {
    id: SurveyPushId,
    /// How many people of these buildings are asked, by this push or an earlier one.
    audience: i64,
}

impl From<push::Model> for Pushed {
    fn from(row: push::Model) -> Self {
        Self { id: row.id, audience: row.audience }
    }
}

/// Push a survey to the doors of some buildings; those who have not answered are told
#[utoipa::path(tag = "surveys", request_body = NewPush, responses((status = 201, body = Pushed)))]
#[post("/surveys/{id}/pushes")]
async fn push_to(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SurveyId>,
    request: Command<NewPush>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::push(&state, txn, &actor, *id, &request.input.building_ids).await.map(Pushed::from)
    })
    .await
}

/// Whose surveys.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Whose {
    Me,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// `me`: those that one was asked to answer.
    #[serde(rename = "for")]
    #[param(inline)]
    whose: Option<Whose>,
    /// For staff and leaders instead: those of a place and of the places in it.
    place_id: Option<PlaceId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Surveys that one was asked to answer, or for staff and leaders those of a place
#[utoipa::path(tag = "surveys", params(ListParams), responses((status = 200, body = Page<SurveyItem>)))]
#[get("/surveys")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ListParams>,
) -> Result<web::Json<Page<SurveyItem>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let page = match (params.whose, params.place_id) {
        (Some(Whose::Me), None) => asked(&state, &actor, &paging).await?,
        (None, Some(place_id)) => managed(&state, &actor, &paging, place_id).await?,
        _ => return Err(Problem::field("?place_id", "for=me 与 place_id 二选一 / either for=me or place_id")),
    };
    Ok(web::Json(page))
}

async fn asked(state: &AppState, actor: &Actor, paging: &Paging) -> Result<Page<SurveyItem>, Problem> {
    let mine = audience::Entity::find().filter(audience::Column::UserId.eq(actor.user_id));
    let mine = paging.apply(mine, audience::Column::SurveyId).all(state.db.read()).await?;
    let surveys = survey::Entity::find().filter(survey::Column::Id.is_in(mine.iter().map(|row| row.survey_id)));
    let surveys: HashMap<_, _> =
        surveys.all(state.db.read()).await?.into_iter().map(|survey| (survey.id, survey)).collect();
    let items = mine.iter().map(|row| {
        let survey = surveys.get(&row.survey_id).ok_or(Code::Internal)?;
        Ok(SurveyItem::new(survey, Some(row.answered)))
    });
    let items = items.collect::<Result<Vec<_>, Problem>>()?;
    Ok(paging.page(&state.keys, items, |item| item.id.0, |item| item))
}

/// Staff see all surveys of the place; leaders the published ones that they may push.
async fn managed(
    state: &AppState,
    actor: &Actor,
    paging: &Paging,
    place_id: PlaceId,
) -> Result<Page<SurveyItem>, Problem> {
    let place = places::find(state.db.read(), place_id).await?;
    let mut here = survey::Entity::find().filter(places::listed_in(
        &place,
        survey::Column::CommunityId,
        survey::Column::PlacePath,
    ));
    if !actor.may(Permission::ManageSurveys, &place.path) {
        let doors = actor.require_somewhere(Permission::PushSurveys)?;
        let around = Condition::any()
            .add(survey::Column::PlacePath.is_in(doors.iter().flat_map(|path| ancestors(path))))
            .add(places::within_any(survey::Column::PlacePath, doors));
        here = here.filter(around).filter(survey::Column::State.ne(SurveyState::Draft));
    }
    let rows = paging.apply(here, survey::Column::Id).all(state.db.read()).await?;
    let mine = audience::Entity::find()
        .filter(audience::Column::UserId.eq(actor.user_id))
        .filter(audience::Column::SurveyId.is_in(rows.iter().map(|row| row.id)));
    let mine: HashMap<_, _> =
        mine.all(state.db.read()).await?.into_iter().map(|row| (row.survey_id, row.answered)).collect();
    Ok(paging.page(&state.keys, rows, |row| row.id.0, |row| SurveyItem::new(&row, mine.get(&row.id).copied())))
}

/// A path and those of the places around it: `/a/b/` lies in `/a/` and itself.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').skip(1).filter_map(|(end, _)| path.get(..=end))
}

/// One survey with its questions: for those who were asked, staff, and leaders who may push it
#[utoipa::path(tag = "surveys", responses((status = 200, body = SurveyView)))]
#[get("/surveys/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SurveyId>,
) -> Result<web::Json<SurveyView>, Problem> {
    let (survey, Sight { asked, .. }) = service::visible(state.db.read(), &actor, *id).await?;
    let questions = service::questions(&survey)?;
    Ok(web::Json(SurveyView { survey: SurveyItem::new(&survey, asked), questions }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewResponse {
    /// By question id: an option's id, a list of them, a number or a text, as the question's kind says.
    #[garde(skip)]
    answers: Map<String, Value>,
}

/// That one has answered.
#[derive(Serialize, ToSchema)]
struct Answered {
    survey_id: SurveyId,
    answered_by_me: bool,
}

/// Answer a survey, once
#[utoipa::path(tag = "surveys", request_body = NewResponse, responses((status = 200, body = Answered)))]
#[put("/surveys/{id}/response")]
async fn respond(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SurveyId>,
    body: Body<NewResponse>,
) -> Result<web::Json<Answered>, Problem> {
    transact(&state, async |txn| service::respond(&state, txn, actor.user_id, *id, &body.answers).await).await?;
    Ok(web::Json(Answered { survey_id: *id, answered_by_me: true }))
}

/// Figures of a survey: for staff the answers, for leaders the response rate of their own buildings
#[utoipa::path(tag = "surveys", responses((status = 200, body = Statistics)))]
#[get("/surveys/{id}/statistics")]
async fn figures(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SurveyId>,
) -> Result<web::Json<Statistics>, Problem> {
    let (survey, sight) = service::visible(state.db.read(), &actor, *id).await?;
    Ok(web::Json(statistics::read(&state, &survey, &sight).await?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_place_lies_in_its_ancestors() {
        assert_eq!(super::ancestors("/a/b/c/").collect::<Vec<_>>(), ["/a/", "/a/b/", "/a/b/c/"]);
    }
}
