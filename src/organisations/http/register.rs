use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, post, put, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::ids::{OrganisationId, PlaceId, PlatformId, ProjectId, QualificationId};
use entities::judgement::EvaluationResult;
use entities::organisations::{OrganisationState, ServiceField, field, organisation, qualification, standing};
use entities::projects::ProjectState;
use garde::Validate;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::check_phone;
use crate::identity::{Actor, masked_phone};
use crate::organisations::domain::is_credit_code;
use crate::organisations::service::register::{self, Details, Standing};
use crate::organisations::service::results::ProjectResult;
use crate::organisations::service::{find, results};
use crate::platform::calendar;
use crate::platform::http::{Body, Caller, Command, Outcome, Page, Paging, Params, Problem, command, text, transact};
use crate::platform::state::AppState;

/// So many former standings are shown.
const STANDINGS: u64 = 50;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(enter).service(read).service(edit).service(stand).service(reveal);
}

/// A social organisation of the register.
#[derive(Serialize, ToSchema)]
struct OrganisationView {
    id: OrganisationId,
    name: String,
    state: OrganisationState,
    /// 统一社会信用代码
    credit_code: Option<String>,
    /// Where it works.
    place_id: Option<PlaceId>,
    purpose: String,
    address: Option<String>,
    /// Masked: `138****0001`.
    phone: Option<String>,
    fields: Vec<ServiceField>,
    /// The base or centre that incubates or guides it.
    incubator_id: Option<PlatformId>,
}

fn view(state: &AppState, row: organisation::Model, fields: Vec<ServiceField>) -> Result<OrganisationView, Problem> {
    Ok(OrganisationView {
        phone: register::phone(state, &row)?.map(|phone| masked_phone(&phone)),
        id: row.id,
        name: row.name,
        state: row.state,
        credit_code: row.credit_code,
        place_id: row.place_id,
        purpose: row.purpose,
        address: row.address,
        fields,
        incubator_id: row.incubator_id,
    })
}

async fn fields_of(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<HashMap<OrganisationId, Vec<ServiceField>>, Problem> {
    let rows = field::Entity::find()
        .filter(field::Column::OrganisationId.is_in(ids))
        .order_by_asc(field::Column::Field)
        .all(connection)
        .await?;
    let mut fields: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        fields.entry(row.organisation_id).or_default().push(row.field);
    }
    Ok(fields)
}

async fn viewed(
    state: &AppState,
    connection: &impl ConnectionTrait,
    row: organisation::Model,
) -> Result<OrganisationView, Problem> {
    let fields = fields_of(connection, [row.id]).await?.remove(&row.id).unwrap_or_default();
    view(state, row, fields)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RegisterParams {
    state: Option<OrganisationState>,
    field: Option<ServiceField>,
    /// Those that a base or a centre raises.
    incubator_id: Option<PlatformId>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// 1 to 100; 20 without it.
    limit: Option<u64>,
}

/// The register of social organisations, newest first
#[utoipa::path(tag = "organisations", params(RegisterParams), responses((status = 200, body = Page<OrganisationView>)))]
#[get("/organisations")]
async fn list(
    state: web::Data<AppState>,
    _: Caller,
    params: Params<RegisterParams>,
) -> Result<web::Json<Page<OrganisationView>>, Problem> {
    let connection = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mut rows = organisation::Entity::find();
    if let Some(wanted) = params.state {
        rows = rows.filter(organisation::Column::State.eq(wanted));
    }
    if let Some(incubator) = params.incubator_id {
        rows = rows.filter(organisation::Column::IncubatorId.eq(incubator));
    }
    if let Some(wanted) = params.field {
        let mut working = Query::select();
        working.column(field::Column::OrganisationId).from(field::Entity).and_where(field::Column::Field.eq(wanted));
        rows = rows.filter(organisation::Column::Id.in_subquery(working));
    }
    let rows = paging.apply(rows, organisation::Column::Id).all(connection).await?;
    let mut fields = fields_of(connection, rows.iter().map(|row| row.id)).await?;
    let Page { items, next_cursor } = paging.page(&state.keys, rows, |row| row.id.0, |row| row);
    let items = items.into_iter().map(|row| {
        let fields = fields.remove(&row.id).unwrap_or_default();
        view(&state, row, fields)
    });
    Ok(web::Json(Page { items: items.collect::<Result<_, _>>()?, next_cursor }))
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

fn check_code() -> impl Fn(&Option<String>, &()) -> garde::Result {
    |code, ()| match code {
        Some(code) if !is_credit_code(code) => {
            Err(garde::Error::new("须为18位统一社会信用代码 / must be a unified social credit code"))
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisation {
    #[garde(skip)]
    place_id: PlaceId,
    #[garde(custom(text::line(60)))]
    name: String,
    #[garde(skip)]
    state: OrganisationState,
    /// 统一社会信用代码: needed for one that is registered.
    #[garde(custom(check_code()))]
    credit_code: Option<String>,
    /// The base or centre that incubates or guides it.
    #[garde(skip)]
    incubator_id: Option<PlatformId>,
    #[garde(custom(text::paragraph(1000)))]
    purpose: String,
    #[garde(custom(text::optional_line(100)))]
    address: Option<String>,
    /// Encrypted.
    #[garde(custom(check_phone()))]
    phone: Option<String>,
    #[garde(length(max = 4))]
    fields: Vec<ServiceField>,
}

/// Enter an organisation into the register, as staff of its place
#[utoipa::path(tag = "organisations", request_body = NewOrganisation, responses((status = 201, body = OrganisationView)))]
#[post("/organisations")]
async fn enter(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewOrganisation>,
) -> Result<Outcome, Problem> {
    let new = &request.input;
    let standing = Standing {
        state: new.state,
        credit_code: new.credit_code.as_deref(),
        incubator_id: new.incubator_id,
        reason: "登记",
    };
    let details = Details {
        purpose: &new.purpose,
        address: new.address.as_deref(),
        phone: new.phone.as_deref(),
        fields: &new.fields,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = register::enter(&state, txn, &actor, (new.place_id, &new.name), &standing, &details).await?;
        viewed(&state, txn, row).await
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditedOrganisation {
    #[garde(custom(text::paragraph(1000)))]
    purpose: String,
    #[garde(custom(text::optional_line(100)))]
    address: Option<String>,
    /// In full.
    #[garde(custom(check_phone()))]
    phone: Option<String>,
    #[garde(length(max = 4))]
    fields: Vec<ServiceField>,
}

/// Write down anew what is known of an organisation, as its head or as staff: what is left out is emptied
#[utoipa::path(tag = "organisations", request_body = EditedOrganisation, responses((status = 200, body = OrganisationView)))]
#[put("/organisations/{id}")]
async fn edit(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
    input: Body<EditedOrganisation>,
) -> Result<web::Json<OrganisationView>, Problem> {
    let EditedOrganisation { purpose, address, phone, fields } = &*input;
    let details = Details { purpose, address: address.as_deref(), phone: phone.as_deref(), fields };
    let row = transact(&state, async |txn| register::edit(&state, txn, &actor, *id, &details).await).await?;
    viewed(&state, state.db.read(), row).await.map(web::Json)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStanding {
    #[garde(skip)]
    state: OrganisationState,
    /// Needed for one that becomes registered and has none yet.
    #[garde(custom(check_code()))]
    credit_code: Option<String>,
    #[garde(skip)]
    incubator_id: Option<PlatformId>,
    #[garde(custom(text::line(200)))]
    reason: String,
}

/// Say how an organisation stands from now on, as staff of its place
#[utoipa::path(tag = "organisations", request_body = NewStanding, responses((status = 201, body = OrganisationView)))]
#[post("/organisations/{id}/standings")]
async fn stand(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
    request: Command<NewStanding>,
) -> Result<Outcome, Problem> {
    let NewStanding { state: to, credit_code, incubator_id, reason } = &request.input;
    let standing = Standing { state: *to, credit_code: credit_code.as_deref(), incubator_id: *incubator_id, reason };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let row = register::stand(&state, txn, &actor, *id, &standing).await?;
        viewed(&state, txn, row).await
    })
    .await
}

/// An organisation's phone number.
#[derive(Serialize, ToSchema)]
struct Contact {
    phone: Option<String>,
}

/// The phone number in full, for its people and staff of its place; each look is audited
#[utoipa::path(tag = "organisations", responses((status = 200, body = Contact)))]
#[get("/organisations/{id}/contact")]
async fn reveal(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<OrganisationId>,
) -> Result<web::Json<Contact>, Problem> {
    let phone = transact(&state, async |txn| register::reveal(&state, txn, &actor, *id).await).await?;
    Ok(web::Json(Contact { phone }))
}
