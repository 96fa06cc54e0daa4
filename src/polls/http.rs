use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, PollId, PollOptionId, ProjectId, UserId};
use entities::polls::{PollKind, PollState, elector, option, participation, poll};
use garde::Validate;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::count::{Count, Explanation};
use super::service::{self, NewPoll, options_of};
use super::{ballot, domain};
use crate::identity::{Actor, Permission};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::command::replay;
use crate::platform::http::{
    Body, Caller, Command, Nothing, Outcome, Page, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(create).service(read).service(open).service(close).service(vote).service(result);
}

/// One thing that can be voted for.
#[derive(Serialize, ToSchema)]
struct OptionView {
    id: PollOptionId,
    title: String,
    project_id: Option<ProjectId>,
}

/// A poll, with nothing of its count.
#[derive(Serialize, ToSchema)]
struct PollView {
    id: PollId,
    place_id: PlaceId,
    community_id: PlaceId,
    title: String,
    kind: PollKind,
    /// At most so many options on a ballot.
    max_choices: i32,
    /// Whether ballots are kept without their person.
    secret: bool,
    state: PollState,
    /// When it is to open by itself.
    opens_at: Option<DateTime<Utc>>,
    /// When voting ends, or has ended, and it closes by itself.
    closes_at: Option<DateTime<Utc>>,
    opened_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    /// How many may vote; fixed at opening.
    electorate: Option<i64>,
    /// What it is about, `topic` say, with `subject_id`: that takes the result when it closes.
    subject_kind: Option<String>,
    subject_id: Option<Uuid>,
    /// Whether one may vote in it.
    elector_by_me: bool,
    /// Whether one has.
    voted_by_me: bool,
    options: Vec<OptionView>,
}

/// A poll's row with what the caller has to do with it.
#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    poll: poll::Model,
    elector_by_me: bool,
    voted_by_me: bool,
}

/// Adds the caller's part to a query of polls.
fn with_mine(polls: Select<poll::Entity>, me: UserId) -> Select<poll::Entity> {
    let on_roll = Query::select()
        .expr(Expr::value(1))
        .from(elector::Entity)
        .and_where(Expr::col((elector::Entity, elector::Column::PollId)).equals((poll::Entity, poll::Column::Id)))
        .and_where(elector::Column::UserId.eq(me))
        .to_owned();
    let ticked = Query::select()
        .expr(Expr::value(1))
        .from(participation::Entity)
        .and_where(
            Expr::col((participation::Entity, participation::Column::PollId)).equals((poll::Entity, poll::Column::Id)),
        )
        .and_where(participation::Column::UserId.eq(me))
        .to_owned();
    polls.expr_as(Expr::exists(on_roll), "elector_by_me").expr_as(Expr::exists(ticked), "voted_by_me")
}

fn view(row: Row, options: &[option::Model]) -> PollView {
    let Row { poll, elector_by_me, voted_by_me } = row;
    let own = options.iter().filter(|option| option.poll_id == poll.id);
    PollView {
        options: own
            .map(|option| OptionView { id: option.id, title: option.title.clone(), project_id: option.project_id })
            .collect(),
        id: poll.id,
        place_id: poll.place_id,
        community_id: poll.community_id,
        title: poll.title,
        kind: poll.kind,
        max_choices: poll.max_choices,
        secret: poll.secret,
        state: poll.state,
        opens_at: poll.opens_at,
        closes_at: poll.closes_at,
        opened_at: poll.opened_at,
        closed_at: poll.closed_at,
        electorate: poll.electorate,
        subject_kind: poll.subject_kind,
        subject_id: poll.subject_id,
        elector_by_me,
        voted_by_me,
    }
}

/// A poll as its reader sees it; a draft is seen by staff only.
async fn find(connection: &impl ConnectionTrait, actor: &Actor, id: PollId) -> Result<PollView, Problem> {
    let row = with_mine(poll::Entity::find_by_id(id), actor.user_id).into_model::<Row>().one(connection).await?;
    let row = row.ok_or(Code::NotFound)?;
    if row.poll.state == PollState::Draft && !actor.may(Permission::ManagePolls, &row.poll.place_path) {
        return Err(Code::NotFound.into());
    }
    Ok(view(row, &options_of(connection, [id]).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// This place and those below it.
    place_id: PlaceId,
    state: Option<PollState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// The polls of a place and of those below it; drafts for its staff only
#[utoipa::path(tag = "polls", params(ListParams), responses((status = 200, body = Page<PollView>)))]
#[get("/polls")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ListParams>,
) -> Result<web::Json<Page<PollView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let db = state.db.read();
    let place = places::named(db, params.place_id, "?place_id").await?;
    let managed = actor.require_somewhere(Permission::ManagePolls).unwrap_or_default();
    let shown = Condition::any()
        .add(poll::Column::State.ne(PollState::Draft))
        .add(places::within_any(poll::Column::PlacePath, managed));
    let mut polls = poll::Entity::find()
        .filter(places::listed_in(&place, poll::Column::CommunityId, poll::Column::PlacePath))
        .filter(shown);
    if let Some(wanted) = params.state {
        polls = polls.filter(poll::Column::State.eq(wanted));
    }
    let polls = with_mine(paging.apply(polls, poll::Column::Id), actor.user_id);
    let rows = polls.into_model::<Row>().all(db).await?;
    let options = options_of(db, rows.iter().map(|row| row.poll.id)).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.poll.id.0, |row| view(row, &options))))
}

/// One poll
#[utoipa::path(tag = "polls", responses((status = 200, body = PollView)))]
#[get("/polls/{id}")]
async fn read(state: web::Data<AppState>, actor: Actor, id: web::Path<PollId>) -> Result<web::Json<PollView>, Problem> {
    Ok(web::Json(find(state.db.read(), &actor, *id).await?))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOption {
    #[garde(custom(text::line(100)))]
    title: String,
    /// A project of the community that it stands for.
    #[garde(skip)]
    project_id: Option<ProjectId>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DraftPoll {
    /// A community or a place in one; its verified residents vote.
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(100)))]
    title: String,
    #[garde(skip)]
    kind: PollKind,
    /// For `approval`: at most so many options on a ballot; all of them without it.
    #[garde(skip)]
    max_choices: Option<usize>,
    /// 2 to 50. For `yes_no`: none (赞成, 反对, 弃权), or two or three in this order.
    #[garde(length(max = domain::MAX_OPTIONS), dive)]
    #[serde(default)]
    options: Vec<NewOption>,
    /// Keeps ballots without their person.
    #[garde(skip)]
    #[serde(default)]
    secret: bool,
    /// Opens by itself then.
    #[garde(skip)]
    opens_at: Option<DateTime<Utc>>,
    /// Voting ends then, and it closes by itself.
    #[garde(skip)]
    closes_at: Option<DateTime<Utc>>,
}

/// Draft a poll
#[utoipa::path(tag = "polls", request_body = DraftPoll, responses((status = 201, body = PollView)))]
#[post("/polls")]
async fn create(state: web::Data<AppState>, actor: Actor, request: Command<DraftPoll>) -> Result<Outcome, Problem> {
    let input = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let new = NewPoll {
            place_id: input.place_id,
            title: &input.title,
            kind: input.kind,
            max_choices: input.max_choices,
            options: input.options.iter().map(|option| (option.title.as_str(), option.project_id)).collect(),
            secret: input.secret,
            opens_at: input.opens_at,
            closes_at: input.closes_at,
            subject: None,
        };
        let poll = service::create(&state, txn, &actor, new).await?;
        find(txn, &actor, poll.id).await
    })
    .await
}

/// Open a poll: who is verified in its place now may vote, and nobody else
#[utoipa::path(tag = "polls", responses((status = 200, body = PollView)))]
#[post("/polls/{id}/open")]
async fn open(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PollId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::open(&state, txn, Some(&actor), *id).await?;
        find(txn, &actor, *id).await
    })
    .await
}

/// Close a poll: counts its ballots and publishes the result
#[utoipa::path(tag = "polls", responses((status = 200, body = PollView)))]
#[post("/polls/{id}/close")]
async fn close(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PollId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    if let Some(earlier) = replay(&state, actor.user_id, &request.key).await? {
        return Ok(earlier);
    }
    service::end_voting(&state, &actor, *id).await?;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        service::close(&state, txn, Some(&actor), *id).await?;
        find(txn, &actor, *id).await
    })
    .await
}

/// A filled-in ballot.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Ballot {
    /// Ids of options: exactly one, or for `approval` one to `max_choices`.
    #[garde(skip)]
    choices: Vec<PollOptionId>,
}

/// That one has voted.
#[derive(Serialize, ToSchema)]
struct Voted {
    poll_id: PollId,
    voted_by_me: bool,
}

/// Vote, once
///
/// If the answer is lost, a second try says 409 `already_voted`, and `voted_by_me` of the poll says the same.
#[utoipa::path(tag = "polls", request_body = Ballot, responses((status = 200, body = Voted)))]
#[put("/polls/{id}/ballot")]
async fn vote(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<PollId>,
    body: Body<Ballot>,
) -> Result<web::Json<Voted>, Problem> {
    transact(&state, async |txn| ballot::cast(&state, txn, caller.user_id, *id, &body.choices).await).await?;
    Ok(web::Json(Voted { poll_id: *id, voted_by_me: true }))
}

/// An option's votes.
#[derive(Serialize, ToSchema)]
struct VotesView {
    id: PollOptionId,
    title: String,
    project_id: Option<ProjectId>,
    votes: i64,
}

/// What a poll found.
#[derive(Serialize, ToSchema)]
struct ResultView {
    poll_id: PollId,
    closed_at: Option<DateTime<Utc>>,
    /// How many might vote.
    electorate: i64,
    /// How many did.
    ballots: i64,
    /// Their share in per cent, two decimals, rounded down.
    turnout_percent: f64,
    options: Vec<VotesView>,
    /// Several where the most votes are shared; none where nobody voted or as many were for as against.
    winners: Vec<PollOptionId>,
    explanation: Explanation,
}

/// The result, once the poll is closed; 404 `result_hidden` before
#[utoipa::path(tag = "polls", responses((status = 200, body = ResultView)))]
#[get("/polls/{id}/result")]
async fn result(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<PollId>,
) -> Result<web::Json<ResultView>, Problem> {
    let db = state.db.read();
    let poll = poll::Entity::find_by_id(*id).one(db).await?.ok_or(Code::NotFound)?;
    if poll.state == PollState::Draft && !actor.may(Permission::ManagePolls, &poll.place_path) {
        return Err(Code::NotFound.into());
    }
    let stored = poll.result.ok_or(Code::ResultHidden)?;
    let count: Count =
        serde_json::from_value(stored).map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
    let electorate = poll.electorate.unwrap_or_default();
    let options = options_of(db, [*id]).await?.into_iter().zip(count.votes).map(|(option, votes)| VotesView {
        id: option.id,
        title: option.title,
        project_id: option.project_id,
        votes,
    });
    Ok(web::Json(ResultView {
        poll_id: poll.id,
        closed_at: poll.closed_at,
        electorate,
        ballots: count.ballots,
        turnout_percent: service::turnout_percent(count.ballots, electorate),
        options: options.collect(),
        winners: count.winners,
        explanation: count.explanation,
    }))
}
