use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use entities::delivery::{
    Corrected, CountOf, ServiceKind, ServiceState, beneficiary, service as record, service_correction, service_count,
    service_person,
};
use entities::ids::{BeneficiaryId, ProjectId, ServiceCorrectionId, ServiceId};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::reports::MAX_AMOUNT;
use crate::audit;
use crate::delivery::service::correcting::{self, NewCorrection};
use crate::delivery::service::recording::{self, NewService};
use crate::delivery::service::register::{self, Identity, Someone};
use crate::delivery::service::{self};
use crate::identity::{Actor, masked_name};
use crate::platform::http::{
    Command, Nothing, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create).service(list).service(whole).service(confirm).service(refuse).service(correct);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRecord {
    #[garde(skip)]
    kind: ServiceKind,
    #[garde(skip)]
    held_on: NaiveDate,
    #[garde(custom(text::line(60)))]
    place: String,
    #[garde(custom(text::paragraph(2000)))]
    content: String,
    /// Those who came and are named in no list: person-times only.
    #[serde(default)]
    #[garde(range(min = 0, max = 1_000_000))]
    heads: i64,
    /// How many it reached at all, such as an audience.
    #[serde(default)]
    #[garde(range(min = 0, max = MAX_AMOUNT))]
    reached: i64,
    /// How many of the heads were of a group.
    #[serde(default)]
    #[garde(length(max = 50), dive)]
    group_heads: Vec<GroupHeads>,
    /// What it did for the project's indicators.
    #[serde(default)]
    #[garde(length(max = 50), dive)]
    indicators: Vec<IndicatorAmount>,
    /// Those who are registered: each counts as one person in the project, however often they come.
    #[serde(default)]
    #[garde(length(max = 300), dive)]
    people: Vec<Person>,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct GroupHeads {
    #[garde(custom(text::line(40)))]
    group: String,
    #[garde(range(min = 0, max = 1_000_000))]
    amount: i64,
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct IndicatorAmount {
    #[garde(custom(text::line(60)))]
    indicator: String,
    #[garde(range(min = 0, max = MAX_AMOUNT))]
    amount: i64,
}

/// Somebody who was served; `phone`, or `door` for who has none.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Person {
    /// Kept encrypted.
    #[garde(custom(text::line(30)))]
    name: String,
    /// Kept as a keyed hash only.
    #[garde(custom(mobile()))]
    phone: Option<String>,
    /// 3栋1单元201
    #[garde(custom(text::optional_line(40)))]
    door: Option<String>,
    #[serde(default)]
    #[garde(length(max = 20), inner(custom(text::line(40))))]
    groups: Vec<String>,
}

/// A mobile number, where there is one.
fn mobile() -> impl Fn(&Option<String>, &()) -> garde::Result {
    |phone, ()| {
        let is = |phone: &str| {
            phone.len() == 11 && phone.starts_with('1') && phone.bytes().all(|byte| byte.is_ascii_digit())
        };
        let why = || garde::Error::new("须为 11 位手机号 / a mobile number of 11 digits");
        if phone.as_deref().is_none_or(is) { Ok(()) } else { Err(why()) }
    }
}

/// A service record, for those in its project.
#[derive(Serialize, ToSchema)]
struct RecordView {
    id: ServiceId,
    project_id: ProjectId,
    kind: ServiceKind,
    held_on: String,
    place: String,
    content: String,
    heads: i64,
    reached: i64,
    state: ServiceState,
    recorded_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    /// Why it was refused.
    reason: Option<String>,
}

impl From<record::Model> for RecordView {
    fn from(row: record::Model) -> Self {
        let record::Model { id, project_id, kind, held_on, place, content, heads, reached, state, .. } = row;
        let (recorded_at, decided_at, reason) = (row.recorded_at, row.decided_at, row.reason);
        Self { id, project_id, kind, held_on, place, content, heads, reached, state, recorded_at, decided_at, reason }
    }
}

/// Record a service; for the implementer's people and the programme's staff. Somebody else confirms it
#[utoipa::path(tag = "delivery", request_body = NewRecord, responses((status = 201, body = RecordView)))]
#[post("/projects/{id}/services")]
async fn create(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    request: Command<NewRecord>,
) -> Result<Outcome, Problem> {
    let input = &request.input;
    let people = input.people.iter().enumerate().map(|(at, person)| {
        let identity = match (&person.phone, &person.door) {
            (Some(phone), _) => Identity::Phone(phone.clone()),
            (None, Some(door)) => Identity::Door(door.clone()),
            (None, None) => {
                let why = "填写手机号，没有的填写门牌 / a phone number, or a door for who has none";
                return Err(Problem::field(&format!("/people/{at}/phone"), why));
            }
        };
        Ok(Someone { identity, name: person.name.clone(), groups: person.groups.clone() })
    });
    let new = NewService {
        kind: input.kind,
        held_on: input.held_on,
        place: &input.place,
        content: &input.content,
        heads: input.heads,
        reached: input.reached,
        group_heads: input.group_heads.iter().map(|row| (row.group.as_str(), row.amount)).collect(),
        indicators: input.indicators.iter().map(|row| (row.indicator.as_str(), row.amount)).collect(),
        people: people.collect::<Result<_, _>>()?,
        source: None,
    };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        recording::record(&state, txn, &actor, *id, &new).await.map(RecordView::from)
    })
    .await
}

/// The service records of a project, newest first; for those in it
#[utoipa::path(tag = "delivery", params(PageParams), responses((status = 200, body = Page<RecordView>)))]
#[get("/projects/{id}/services")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ProjectId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<RecordView>>, Problem> {
    let read = state.db.read();
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let project = service::find(read, *id).await?;
    service::require(read, &actor, &project, service::Standing::is_inside).await?;
    let all = record::Entity::find().filter(record::Column::ProjectId.eq(*id));
    let rows = paging.apply(all, record::Column::Id).all(read).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, RecordView::from)))
}

/// Somebody on a service's list.
#[derive(Serialize, ToSchema)]
struct ListedPerson {
    beneficiary_id: BeneficiaryId,
    /// Masked for the programme's staff.
    name: String,
    groups: Vec<String>,
    /// Taken off the list by a correction.
    absent: bool,
}

/// A count of a service.
#[derive(Serialize, ToSchema)]
struct CountView {
    what: CountOf,
    name: String,
    amount: i64,
}

/// Another figure beside a sealed one.
#[derive(Serialize, ToSchema)]
struct CorrectionView {
    id: ServiceCorrectionId,
    what: Corrected,
    name: String,
    beneficiary_id: Option<BeneficiaryId>,
    was: i64,
    stands: i64,
    reason: String,
    corrected_at: DateTime<Utc>,
}

impl From<service_correction::Model> for CorrectionView {
    fn from(row: service_correction::Model) -> Self {
        let service_correction::Model { id, what, name, beneficiary_id, was, stands, reason, corrected_at, .. } = row;
        Self { id, what, name, beneficiary_id, was, stands, reason, corrected_at }
    }
}

/// A service record with all that it counts. `record` holds what was sealed; `corrections` what stands beside it.
#[derive(Serialize, ToSchema)]
struct WholeRecord {
    record: RecordView,
    people: Vec<ListedPerson>,
    counts: Vec<CountView>,
    corrections: Vec<CorrectionView>,
}

/// One service record with its people; names whole for implementer, supervisor and evaluator, each reading of which is audited
#[utoipa::path(tag = "delivery", responses((status = 200, body = WholeRecord)))]
#[get("/services/{id}")]
async fn whole(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ServiceId>,
) -> Result<web::Json<WholeRecord>, Problem> {
    let row = recording::of_insider(state.db.read(), &actor, *id).await?;
    let project = service::find(state.db.read(), row.project_id).await?;
    let unmasked = service::standing(state.db.read(), &actor, &project).await?.reads_names();
    let answer = transact(&state, async |txn| {
        let mut corrections = service_correction::Entity::find().filter(service_correction::Column::ServiceId.eq(*id));
        corrections = corrections.order_by_asc(service_correction::Column::Seq);
        let corrections = corrections.all(txn).await?;
        let listed = service_person::Entity::find().filter(service_person::Column::ServiceId.eq(*id)).all(txn).await?;
        let who = beneficiary::Entity::find()
            .filter(beneficiary::Column::Id.is_in(listed.iter().map(|row| row.beneficiary_id)))
            .order_by_asc(beneficiary::Column::Id);
        let mut groups = recording::groups_by_person(txn, *id).await?;
        let people = who.all(txn).await?.into_iter().map(|row| {
            let name = register::name_of(&state, &row)?;
            Ok(ListedPerson {
                beneficiary_id: row.id,
                name: if unmasked { name } else { masked_name(&name) },
                groups: groups.remove(&row.id).unwrap_or_default(),
                absent: corrections.iter().any(|correction| correction.beneficiary_id == Some(row.id)),
            })
        });
        let people = people.collect::<Result<Vec<_>, Problem>>()?;
        let counts = service_count::Entity::find().filter(service_count::Column::ServiceId.eq(*id)).all(txn).await?;
        if unmasked && !people.is_empty() {
            let detail = json!({ "service_id": *id, "names": people.len() });
            let (by, target) = (Some(actor.user_id), ("project", project.id.0));
            audit::record(&state, txn, by, "project.names_read", target, Some(project.place_id), detail).await?;
        }
        let counts = counts.into_iter().map(|row| CountView { what: row.what, name: row.name, amount: row.amount });
        let (counts, corrections) = (counts.collect(), corrections.into_iter().map(CorrectionView::from).collect());
        Ok(WholeRecord { record: row.clone().into(), people, counts, corrections })
    });
    answer.await.map(web::Json)
}

/// Confirm a record, as supervisor or staff who did not write it; from then on it is sealed and counts
#[utoipa::path(tag = "delivery", request_body = Nothing, responses((status = 200, body = RecordView)))]
#[post("/services/{id}/confirm")]
async fn confirm(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ServiceId>,
    request: Command<Nothing>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        recording::decide(&state, txn, &actor, *id, ServiceState::Confirmed, None).await.map(RecordView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refusal {
    #[garde(custom(text::paragraph(500)))]
    reason: String,
}

/// Refuse a record, as supervisor or staff; it never counts
#[utoipa::path(tag = "delivery", request_body = Refusal, responses((status = 200, body = RecordView)))]
#[post("/services/{id}/refuse")]
async fn refuse(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ServiceId>,
    request: Command<Refusal>,
) -> Result<Outcome, Problem> {
    let reason = Some(request.input.reason.as_str());
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        recording::decide(&state, txn, &actor, *id, ServiceState::Refused, reason).await.map(RecordView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Correction {
    #[garde(skip)]
    what: Corrected,
    /// The group of `group_heads`, the indicator of `indicator`.
    #[garde(custom(text::optional_line(60)))]
    name: Option<String>,
    /// Who was not there, for `absent`.
    #[garde(skip)]
    beneficiary_id: Option<BeneficiaryId>,
    /// The figure that stands from now on; not for `absent`.
    #[garde(inner(range(min = 0, max = MAX_AMOUNT)))]
    stands: Option<i64>,
    #[garde(custom(text::paragraph(500)))]
    reason: String,
}

/// Put another figure beside a sealed one, as supervisor or staff who did not record it; both stay readable
#[utoipa::path(tag = "delivery", request_body = Correction, responses((status = 201, body = CorrectionView)))]
#[post("/services/{id}/corrections")]
async fn correct(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ServiceId>,
    request: Command<Correction>,
) -> Result<Outcome, Problem> {
    let Correction { what, name, beneficiary_id, stands, reason } = &request.input;
    let new =
        NewCorrection { what: *what, name: name.as_deref(), beneficiary_id: *beneficiary_id, stands: *stands, reason };
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        correcting::correct(&state, txn, &actor, *id, &new).await.map(CorrectionView::from)
    })
    .await
}
