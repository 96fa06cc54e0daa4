//! What everybody may know of one organisation: what is certified of it, how it stood, what it did and how that was judged.

use actix_web::{get, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::{OrganisationId, PlatformId, ProjectId, QualificationId};
use entities::judgement::EvaluationResult;
use entities::organisations::{OrganisationState, qualification, standing};
use entities::projects::ProjectState;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::register::{OrganisationView, viewed};
use crate::organisations::service::results::ProjectResult;
use crate::organisations::service::{find, register, results};
use crate::platform::calendar;
use crate::platform::http::{Caller, Problem};
use crate::platform::state::AppState;

/// So many former standings are shown.
const STANDINGS: u64 = 50;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(read);
}

/// Everything that everybody may know of an organisation.
#[derive(Serialize, ToSchema)]
struct RegisterPage {
    #[serde(flatten)]
    organisation: OrganisationView,
    qualifications: Vec<QualificationView>,
    /// How it stood when, newest first.
    standings: Vec<StandingView>,
    track_record: TrackRecord,
    /// What was published of its projects' results, the newest 50 first.
    results: Vec<ResultView>,
}

/// What somebody certified of an organisation.
#[derive(Serialize, ToSchema)]
pub(super) struct QualificationView {
    id: QualificationId,
    name: String,
    issuer: String,
    number: String,
    /// Its last day.
    expires_on: Option<NaiveDate>,
    /// Whether it has run out.
    expired: bool,
}

pub(super) fn qualification_view(row: qualification::Model, now: DateTime<Utc>) -> QualificationView {
    QualificationView {
        expired: !register::is_valid(&row, now),
        id: row.id,
        name: row.name,
        issuer: row.issuer,
        number: row.number,
        expires_on: row.expires_at.map(calendar::day),
    }
}

/// How an organisation stood from a moment on.
#[derive(Serialize, ToSchema)]
struct StandingView {
    state: OrganisationState,
    incubator_id: Option<PlatformId>,
    reason: String,
    at: DateTime<Utc>,
}

/// What an organisation did before, counted from its projects.
#[derive(Serialize, ToSchema)]
struct TrackRecord {
    projects: i64,
    running: i64,
    finished: i64,
    /// Broken off.
    terminated: i64,
}

impl TrackRecord {
    fn of(counts: &[(ProjectState, i64)]) -> Self {
        let sum = |counted: &dyn Fn(ProjectState) -> bool| {
            counts.iter().filter(|(state, _)| counted(*state)).map(|(_, count)| count).sum()
        };
        Self {
            projects: sum(&|_| true),
            running: sum(&|state| {
                matches!(state, ProjectState::Running | ProjectState::Completed | ProjectState::Rectifying)
            }),
            finished: sum(&|state| matches!(state, ProjectState::Evaluated | ProjectState::Finished)),
            terminated: sum(&|state| matches!(state, ProjectState::Terminated)),
        }
    }
}

/// What residents and a third party said of a project, as far as it was published.
#[derive(Serialize, ToSchema)]
struct ResultView {
    project_id: ProjectId,
    title: String,
    state: ProjectState,
    /// How many residents rated it; absent before its rating is published.
    ratings: Option<i64>,
    /// The mean of 1 to 5 in hundredths: 467 is 4.67. Absent, too, where too few took part.
    mean_hundredths: Option<i64>,
    /// The third party's last word; absent before there is one.
    evaluation: Option<EvaluationResult>,
    /// Of 100.
    evaluation_score: Option<i64>,
}

impl From<ProjectResult> for ResultView {
    fn from(result: ProjectResult) -> Self {
        let ProjectResult { project, ratings, mean_hundredths, evaluation } = result;
        Self {
            project_id: project.id,
            title: project.title,
            state: project.state,
            ratings,
            mean_hundredths,
            evaluation: evaluation.as_ref().map(|row| row.result),
            evaluation_score: evaluation.map(|row| row.score),
        }
    }
}

/// One organisation: what is certified of it, how it stood, what it did before
#[utoipa::path(tag = "organisations", responses((status = 200, body = RegisterPage)))]
#[get("/organisations/{id}")]
async fn read(
    state: web::Data<AppState>,
    _: Caller,
    id: web::Path<OrganisationId>,
) -> Result<web::Json<RegisterPage>, Problem> {
    let connection = state.db.read();
    let row = find(connection, *id).await?;
    let now = state.clock.now();
    let qualifications = qualification::Entity::find()
        .filter(qualification::Column::OrganisationId.eq(*id))
        .filter(qualification::Column::EndedAt.is_null())
        .order_by_desc(qualification::Column::Id)
        .limit(100)
        .all(connection)
        .await?;
    let standings = standing::Entity::find()
        .filter(standing::Column::OrganisationId.eq(*id))
        .order_by_desc(standing::Column::At)
        .limit(STANDINGS)
        .all(connection)
        .await?;
    let track_record = TrackRecord::of(&register::track_record(connection, *id).await?);
    Ok(web::Json(RegisterPage {
        organisation: viewed(&state, connection, row).await?,
        qualifications: qualifications.into_iter().map(|row| qualification_view(row, now)).collect(),
        standings: standings
            .into_iter()
            .map(|row| StandingView {
                state: row.state,
                incubator_id: row.incubator_id,
                reason: row.reason,
                at: row.at,
            })
            .collect(),
        track_record,
        results: results::of(&state, connection, *id).await?.into_iter().map(ResultView::from).collect(),
    }))
}
