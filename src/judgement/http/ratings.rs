use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::ids::{NoticeId, ProjectId, RatingId};
use entities::judgement::{RaterStanding, rating};
use entities::projects::ProjectState;
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::delivery;
use crate::identity::{Actor, Permission};
use crate::judgement::service::ratings;
use crate::places;
use crate::platform::http::{Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(complete).service(rate).service(summary).service(comments);
}

/// A project that is completed.
#[derive(Serialize, ToSchema)]
struct Completed {
    id: ProjectId,
    state: ProjectState,
    /// Until when residents can rate it.
    rating_closes_at: DateTime<Utc>,
}

/// Say that a project is carried out, and open it to the residents' rating; for the implementer
///
/// Every milestone is accepted, no finding is open, and the final report is there; else 409 `milestones_open`, `finding_open` or
/// `final_report_missing`.
#[utoipa::path(tag = "judgement", request_body = Nothing, responses((status = 200, body = Completed)))]
#[post("/projects/{id}/complete")]
async fn complete(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let (project, window) = ratings::complete(&state, txn, &actor, *id).await?;
        Ok(Completed { id: project.id, state: project.state, rating_closes_at: window.closes_at })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRating {
    /// 1 to 5.
    #[garde(range(min = 1, max = 5))]
    score: i64,
    /// Shown without a name once it has passed moderation.
    #[garde(custom(text::optional_paragraph(500)))]
    comment: Option<String>,
}

/// One's own rating.
#[derive(Serialize, ToSchema)]
struct RatingView {
    score: i64,
    comment: Option<String>,
    /// Whether the comment is shown to everybody.
    shown: bool,
    /// As whom: somebody who was served, or a resident of the place.
    standing: RaterStanding,
    created_at: DateTime<Utc>,
}

impl From<rating::Model> for RatingView {
    fn from(row: rating::Model) -> Self {
        let rating::Model { score, comment, shown, standing, created_at, .. } = row;
        Self { score, comment, shown, standing, created_at }
    }
}

/// Rate a completed project, once; for those who were served and for verified residents of its place
#[utoipa::path(tag = "judgement", request_body = NewRating, responses((status = 201, body = RatingView)))]
#[post("/projects/{id}/ratings")]
async fn rate(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<NewRating>,
) -> Result<Outcome, Problem> {
    let NewRating { score, comment } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        ratings::rate(&state, txn, &actor, *id, (*score, comment.as_deref())).await.map(RatingView::from)
    })
    .await
}

/// A project's rating.
#[derive(Serialize, ToSchema)]
struct RatingSummary {
    /// Absent for a project that is not completed.
    opened_at: Option<DateTime<Utc>>,
    closes_at: Option<DateTime<Utc>>,
    published_at: Option<DateTime<Utc>>,
    notice_id: Option<NoticeId>,
    /// How many rated: after publication for everybody, before it for residents' representatives and staff.
    count: Option<i64>,
    /// Published, and enough took part.
    enough: bool,
    /// The mean in hundredths: 467 is 4.67.
    mean_hundredths: Option<i64>,
    /// How many gave 1 to 5; what is too small to be shown is absent.
    distribution: Option<Vec<Option<i64>>>,
    /// Whether the caller may rate now, and as whom.
    may_rate_as: Option<RaterStanding>,
    /// The caller's own.
    mine: Option<RatingView>,
}

/// The rating of a project: its time, one's own, and its result once it is published
#[utoipa::path(tag = "judgement", responses((status = 200, body = RatingSummary)))]
#[get("/projects/{id}/ratings")]
async fn summary(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
) -> Result<web::Json<RatingSummary>, Problem> {
    let read = state.db.read();
    let project = delivery::find(read, *id).await?;
    let window = ratings::window(read, *id).await?;
    let mine = rating::Entity::find_by_id((*id, actor.user_id)).one(read).await?;
    let rules = places::rules(&state, read, project.community_id).await?;
    let published_at = window.as_ref().and_then(|window| window.published_at);
    let open = window.as_ref().is_some_and(|window| published_at.is_none() && state.clock.now() < window.closes_at);
    let tally = ratings::tally(read, *id).await?;
    let enough = published_at.is_some() && tally.count() >= rules.minimum_ratings;
    let watches = published_at.is_some() || actor.may(Permission::Represent, &project.place_path);
    let may_rate_as = if open && mine.is_none() { ratings::standing(read, &actor, &project).await? } else { None };
    Ok(web::Json(RatingSummary {
        opened_at: window.as_ref().map(|window| window.opened_at),
        closes_at: window.as_ref().map(|window| window.closes_at),
        published_at,
        notice_id: window.as_ref().and_then(|window| window.notice_id),
        count: Some(tally.count()).filter(|_| window.is_some() && watches),
        enough,
        mean_hundredths: tally.mean_hundredths().filter(|_| enough),
        distribution: enough.then(|| tally.shown(rules.minimum_cell).to_vec()),
        may_rate_as,
        mine: mine.map(RatingView::from),
    }))
}

/// What somebody said with their rating.
#[derive(Serialize, ToSchema)]
struct CommentView {
    id: RatingId,
    comment: Option<String>,
    created_at: DateTime<Utc>,
}

/// The comments on a project that have passed moderation, newest first, without names and scores
#[utoipa::path(tag = "judgement", params(PageParams), responses((status = 200, body = Page<CommentView>)))]
#[get("/projects/{id}/ratings/comments")]
async fn comments(
    state: web::Data<AppState>,
    _: Actor,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<CommentView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let shown = rating::Entity::find().filter(rating::Column::ProjectId.eq(*id)).filter(rating::Column::Shown.eq(true));
    let rows = paging.apply(shown, rating::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| CommentView { id: row.id, comment: row.comment, created_at: row.created_at },
    )))
}
