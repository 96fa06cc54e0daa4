use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, TalentApplicationId, TalentRoundId, UserId};
use entities::organisations::{
    ApplicationState, TalentQualification, talent, talent_application, talent_round, talent_score,
};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::names;
use crate::identity::{Actor, Permission};
use crate::organisations::service::talent::{self as service, Criterion, NewRound};
use crate::places::{self, within};
use crate::platform::http::{
    Body, Caller, Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(keep).service(register).service(rounds).service(announce).service(apply).service(applications);
    config.service(score).service(publish);
}

/// A social worker of the talent register.
#[derive(Serialize, ToSchema)]
struct TalentView {
    user_id: UserId,
    /// Masked: `王**`.
    name: String,
    place_id: PlaceId,
    qualification: TalentQualification,
    works_since: i64,
    about: String,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Profile {
    /// Where one works.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(skip)]
    qualification: TalentQualification,
    /// A year.
    #[garde(range(min = 1949, max = 2999))]
    works_since: i64,
    #[garde(custom(text::paragraph(1000)))]
    about: String,
}

/// Write oneself down in the talent register, as a social worker, or anew
#[utoipa::path(tag = "platforms", request_body = Profile, responses((status = 200, body = TalentView)))]
#[put("/me/talent")]
async fn keep(
    state: web::Data<AppState>,
    actor: Actor,
    input: Body<Profile>,
) -> Result<web::Json<TalentView>, Problem> {
    let Profile { place_id, qualification, works_since, about } = &*input;
    let own = (*qualification, *works_since, about.as_str());
    let row = transact(&state, async |txn| service::keep(&state, txn, &actor, *place_id, own).await).await?;
    let names = names(state.db.read(), [row.user_id]).await?;
    Ok(web::Json(talent_view(row, &names)))
}

fn talent_view(row: talent::Model, names: &std::collections::HashMap<UserId, String>) -> TalentView {
    TalentView {
        user_id: row.user_id,
        name: names.get(&row.user_id).cloned().unwrap_or_default(),
        place_id: row.place_id,
        qualification: row.qualification,
        works_since: row.works_since,
        about: row.about,
    }
}

/// The talent register at and below a place, for its staff
#[utoipa::path(tag = "platforms", params(places::ListParams), responses((status = 200, body = Page<TalentView>)))]
#[get("/talents")]
async fn register(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<TalentView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(connection, params.place_id, "?place_id").await?;
    actor.require(Permission::ManageProjects, &place.path)?;
    let there = talent::Entity::find().filter(within(talent::Column::PlacePath, &place.path));
    let rows = paging.apply(there, talent::Column::UserId).all(connection).await?;
    let names = names(connection, rows.iter().map(|row| row.user_id)).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.user_id.0, |row| talent_view(row, &names))))
}

/// A round that selects social workers.
#[derive(Serialize, ToSchema)]
struct TalentRoundView {
    id: TalentRoundId,
    place_id: PlaceId,
    title: String,
    /// `[{name, max}]`
    criteria: Value,
    seats: i64,
    /// Applications are taken from here …
    opens_at: DateTime<Utc>,
    /// … until just before here; then they are scored.
    closes_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
}

impl From<talent_round::Model> for TalentRoundView {
    fn from(row: talent_round::Model) -> Self {
        let talent_round::Model { id, place_id, title, criteria, seats, opens_at, closes_at, published_at, .. } = row;
        Self { id, place_id, title, criteria, seats, opens_at, closes_at, published_at }
    }
}

/// The rounds at and below a place, newest first
#[utoipa::path(tag = "platforms", params(places::ListParams), responses((status = 200, body = Page<TalentRoundView>)))]
#[get("/talent-rounds")]
async fn rounds(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<places::ListParams>,
) -> Result<web::Json<Page<TalentRoundView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = places::named(state.db.read(), params.place_id, "?place_id").await?;
    let there = talent_round::Entity::find().filter(within(talent_round::Column::PlacePath, &place.path));
    let rows = paging.apply(there, talent_round::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, TalentRoundView::from)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTalentRound {
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    title: String,
    #[garde(length(min = 1, max = 10), dive)]
    criteria: Vec<Criterion>,
    #[garde(range(min = 1, max = 500))]
    seats: i64,
    #[garde(skip)]
    opens_at: DateTime<Utc>,
    #[garde(skip)]
    closes_at: DateTime<Utc>,
}

/// Announce a round, as staff of its place
#[utoipa::path(tag = "platforms", request_body = NewTalentRound, responses((status = 201, body = TalentRoundView)))]
#[post("/talent-rounds")]
async fn announce(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewTalentRound>,
) -> Result<Outcome, Problem> {
    let NewTalentRound { place_id, title, criteria, seats, opens_at, closes_at } = &request.input;
    let new = NewRound { place_id: *place_id, title, criteria, seats: *seats, applications: (*opens_at, *closes_at) };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::announce(&state, txn, &actor, &new).await.map(TalentRoundView::from)
    })
    .await
}

/// Somebody in a round.
#[derive(Serialize, ToSchema)]
struct ApplicationView {
    id: TalentApplicationId,
    round_id: TalentRoundId,
    user_id: UserId,
    statement: String,
    state: ApplicationState,
    /// How many scored it.
    scores: usize,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApplication {
    #[garde(custom(text::paragraph(2000)))]
    statement: String,
}

/// Apply in a round, as somebody of the talent register
#[utoipa::path(tag = "platforms", request_body = NewApplication, responses((status = 201, body = ApplicationView)))]
#[post("/talent-rounds/{id}/applications")]
async fn apply(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TalentRoundId>,
    request: Command<NewApplication>,
) -> Result<Outcome, Problem> {
    let statement = &request.input.statement;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        service::apply(&state, txn, &actor, *id, statement).await.map(|row| application_view(row, &[]))
    })
    .await
}

fn application_view(row: talent_application::Model, scored: &[TalentApplicationId]) -> ApplicationView {
    ApplicationView {
        scores: scored.iter().filter(|scored| **scored == row.id).count(),
        id: row.id,
        round_id: row.round_id,
        user_id: row.user_id,
        statement: row.statement,
        state: row.state,
    }
}

/// Who applied in a round: all for those who score, one's own for others
#[utoipa::path(tag = "platforms", params(PageParams), responses((status = 200, body = Page<ApplicationView>)))]
#[get("/talent-rounds/{id}/applications")]
async fn applications(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TalentRoundId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ApplicationView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let round = service::find(connection, *id).await?;
    let mut rows = talent_application::Entity::find().filter(talent_application::Column::RoundId.eq(*id));
    let own = rows.clone().filter(talent_application::Column::UserId.eq(actor.user_id)).one(connection).await?;
    // Who applies does not read what the others wrote.
    let judges = actor.may(Permission::ManageProjects, &round.place_path)
        || (own.is_none() && actor.may(Permission::SocialWork, &round.place_path));
    if !judges {
        rows = rows.filter(talent_application::Column::UserId.eq(actor.user_id));
    }
    let rows = paging.apply(rows, talent_application::Column::Id).all(connection).await?;
    let scored: Vec<TalentApplicationId> = talent_score::Entity::find()
        .select_only()
        .column(talent_score::Column::ApplicationId)
        .filter(talent_score::Column::ApplicationId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(talent_score::Column::ApplicationId)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, |row| application_view(row, &scored))))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewScore {
    /// One number a criterion, in their order.
    #[garde(length(min = 1, max = 10))]
    points: Vec<i64>,
}

/// What was given.
#[derive(Serialize, ToSchema)]
struct ScoreView {
    total: i64,
}

/// Score an application once the round is closed, or anew until its list is made; 403 for who is tied to the applicant
#[utoipa::path(tag = "platforms", request_body = NewScore, responses((status = 200, body = ScoreView)))]
#[put("/talent-applications/{id}/score")]
async fn score(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TalentApplicationId>,
    input: Body<NewScore>,
) -> Result<web::Json<ScoreView>, Problem> {
    let total = transact(&state, async |txn| service::score(&state, txn, &actor, *id, &input.points).await).await?;
    Ok(web::Json(ScoreView { total }))
}

/// Make the list, as staff of the round's place: everybody was scored by two; it is a notice with masked names
#[utoipa::path(tag = "platforms", responses((status = 200, body = TalentRoundView)))]
#[post("/talent-rounds/{id}/list")]
async fn publish(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<TalentRoundId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::publish(&state, txn, &actor, *id).await.map(TalentRoundView::from)
    })
    .await
}
