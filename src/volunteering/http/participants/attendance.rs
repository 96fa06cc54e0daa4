use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ActivityId, AttendanceId, ProjectId, ServiceId, SessionId, UserId};
use entities::volunteering::{attendance, attendance_group};
use garde::Validate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::delivery::ServiceKind;
use crate::identity::{Actor, masked_name};
use crate::places;
use crate::platform::check_in::CheckInCode;
use crate::platform::code::Code;
use crate::platform::http::{
    Command, FieldError, Outcome, Page, PageParams, Paging, Params, Problem, command, text, transact,
};
use crate::platform::state::AppState;
use crate::volunteering::domain::Count;
use crate::volunteering::service::participants::{self, Ticked, Who};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(show_code)
        .service(attend)
        .service(tick)
        .service(list)
        .service(untick)
        .service(figures)
        .service(hand_over);
}

/// The code to attend with, for the session's leader and staff
#[utoipa::path(tag = "participants", responses((status = 200, body = CheckInCode)))]
#[get("/sessions/{id}/attendance-code")]
async fn show_code(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
) -> Result<web::Json<CheckInCode>, Problem> {
    let session = participants::find(state.db.read(), *id).await?;
    if !participants::in_charge(&actor, &session) {
        return Err(Code::Forbidden.into());
    }
    CheckInCode::now(&state, "attend", session.id.0).map(web::Json)
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Attending {
    /// From the leader's screen.
    #[garde(custom(text::line(64)))]
    code: String,
}

/// That somebody was there.
#[derive(Serialize, ToSchema)]
struct Attended {
    attended: bool,
}

/// Say that one is there, with the code on the leader's screen; for those who have a place
#[utoipa::path(tag = "participants", request_body = Attending, responses((status = 200, body = Attended)))]
#[post("/sessions/{id}/attend")]
async fn attend(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
    request: Command<Attending>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        participants::attend(&state, txn, &actor, *id, &request.input.code).await?;
        Ok(Attended { attended: true })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct List {
    #[garde(length(min = 1, max = 200), dive)]
    people: Vec<Line>,
}

/// Either `user_id`, of somebody who enrolled, or `name`, of somebody without a phone.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Line {
    #[garde(skip)]
    user_id: Option<UserId>,
    /// Kept encrypted. Name two people of one name apart: 王桂兰（3栋）.
    #[garde(custom(text::optional_line(30)))]
    name: Option<String>,
    /// Of the activity's groups; without it those that an enrolled person chose.
    #[garde(length(max = 20), inner(inner(custom(text::line(20)))))]
    groups: Option<Vec<String>>,
}

/// What became of each line, in their order.
#[derive(Serialize, ToSchema)]
struct ListOutcome {
    results: Vec<LineOutcome>,
}

/// What became of one line.
#[derive(Serialize, ToSchema)]
struct LineOutcome {
    /// Whether the person stands on the list now.
    attended: bool,
    /// Whether they stood there before.
    already: bool,
    /// Why not: `own_act`, `not_enrolled`.
    code: Option<String>,
}

/// Say by list who was there, as the session's leader or staff, from shortly before it until 7 days after
#[utoipa::path(tag = "participants", request_body = List, responses((status = 200, body = ListOutcome)))]
#[post("/sessions/{id}/attendance")]
async fn tick(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
    request: Command<List>,
) -> Result<Outcome, Problem> {
    let mut lines = Vec::with_capacity(request.input.people.len());
    let mut errors = Vec::new();
    for (at, line) in request.input.people.iter().enumerate() {
        let who = match (line.user_id, &line.name) {
            (Some(person), None) => Who::Person(person),
            (None, Some(name)) => Who::Named(name.clone()),
            _ => {
                let detail = "填写 user_id 或 name 之一 / either user_id or name".to_owned();
                errors.push(FieldError { pointer: format!("/people/{at}"), code: "invalid".into(), detail });
                continue;
            }
        };
        lines.push(Ticked { who, groups: line.groups.clone() });
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let outcomes = participants::tick(&state, txn, &actor, *id, &lines).await?;
        let results = outcomes.into_iter().map(|outcome| LineOutcome {
            attended: outcome.is_ok(),
            already: outcome == Ok(false),
            code: outcome.err().map(Code::word),
        });
        Ok(ListOutcome { results: results.collect() })
    })
    .await
}

/// Somebody who was there.
#[derive(Serialize, ToSchema)]
struct AttendanceView {
    id: AttendanceId,
    /// Absent for somebody without a phone.
    user_id: Option<UserId>,
    /// Masked.
    name: String,
    /// `code` or `list`.
    method: String,
    groups: Vec<String>,
    recorded_at: DateTime<Utc>,
}

/// Who was at a session, for its leader and staff
#[utoipa::path(tag = "participants", params(PageParams), responses((status = 200, body = Page<AttendanceView>)))]
#[get("/sessions/{id}/attendance")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<AttendanceView>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let session = participants::find(state.db.read(), *id).await?;
    if !participants::in_charge(&actor, &session) {
        return Err(Code::Forbidden.into());
    }
    let all = attendance::Entity::find().filter(attendance::Column::SessionId.eq(session.id));
    let rows = paging.apply(all, attendance::Column::Id).all(state.db.read()).await?;
    let people = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().filter_map(|row| row.user_id)));
    let names: HashMap<UserId, String> =
        people.all(state.db.read()).await?.into_iter().map(|row| (row.id, row.nickname)).collect();
    let mut groups: HashMap<AttendanceId, Vec<String>> = HashMap::new();
    let of_rows = attendance_group::Entity::find()
        .filter(attendance_group::Column::AttendanceId.is_in(rows.iter().map(|row| row.id)));
    for row in of_rows.all(state.db.read()).await? {
        groups.entry(row.attendance_id).or_default().push(row.name);
    }
    let views = rows.into_iter().map(|row| {
        let name = match &row.name_cipher {
            Some(sealed) => state.keys.decrypt("attendances.name", sealed),
            None => Ok(row.user_id.and_then(|person| names.get(&person).cloned()).unwrap_or_default()),
        };
        let name = name.map_err(|error| Problem::from(Code::Internal).caused_by(error))?;
        Ok(AttendanceView {
            id: row.id,
            user_id: row.user_id,
            name: masked_name(&name),
            method: row.method,
            groups: groups.remove(&row.id).unwrap_or_default(),
            recorded_at: row.recorded_at,
        })
    });
    let views = views.collect::<Result<Vec<_>, Problem>>()?;
    Ok(web::Json(paging.page(&state.keys, views, |view| view.id.0, |view| view)))
}

/// Take back that somebody was at a session
#[utoipa::path(tag = "participants", responses((status = 204)))]
#[delete("/sessions/{id}/attendance/{attendance_id}")]
async fn untick(
    state: web::Data<AppState>,
    actor: Actor,
    path: web::Path<(SessionId, AttendanceId)>,
) -> Result<HttpResponse, Problem> {
    transact(&state, async |txn| participants::untick(&state, txn, &actor, *path).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandOver {
    #[garde(skip)]
    project_id: ProjectId,
    /// As what the session counts in the project.
    #[garde(skip)]
    kind: ServiceKind,
}

/// A service record that a session became.
#[derive(Serialize, ToSchema)]
struct HandedOver {
    service_id: ServiceId,
}

/// Hand who came to a session over to a project as a service record, once, when the session is over
///
/// For who is in charge of the session and acts for the project's implementer or programme. Somebody else confirms the record there;
/// the session's own list is closed.
#[utoipa::path(tag = "participants", request_body = HandOver, responses((status = 201, body = HandedOver)))]
#[post("/sessions/{id}/service-record")]
async fn hand_over(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<SessionId>,
    request: Command<HandOver>,
) -> Result<Outcome, Problem> {
    let HandOver { project_id, kind } = request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let service_id = participants::hand_over(&state, txn, &actor, *id, (project_id, kind)).await?;
        Ok(HandedOver { service_id })
    })
    .await
}

/// How many, how often.
#[derive(Serialize, ToSchema)]
struct CountView {
    /// Different people.
    people: i64,
    /// Each time that one of them came.
    person_times: i64,
}

impl From<Count> for CountView {
    fn from(Count { people, person_times }: Count) -> Self {
        Self { people, person_times }
    }
}

/// One group's figures.
#[derive(Serialize, ToSchema)]
struct GroupCount {
    name: String,
    /// Absent if it is too small to be shown.
    count: Option<CountView>,
}

/// An activity's attendance.
#[derive(Serialize, ToSchema)]
struct AttendanceFigures {
    /// Absent if it is too small to be shown.
    total: Option<CountView>,
    /// One person may be in several groups, or in none.
    groups: Vec<GroupCount>,
    /// Fewer people than this are not shown to others than staff.
    minimum_cell: i64,
}

/// An activity's participants: people and person-times, by group
///
/// Others than staff do not see groups of fewer than `rules.minimum_cell` people, nor groups that all but so few are in.
#[utoipa::path(tag = "participants", responses((status = 200, body = AttendanceFigures)))]
#[get("/activities/{id}/attendance-figures")]
async fn figures(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ActivityId>,
) -> Result<web::Json<AttendanceFigures>, Problem> {
    let (activity, figures, staff) = participants::figures(state.db.read(), &actor, *id).await?;
    let minimum_cell = places::rules(&state, state.db.read(), activity.community_id).await?.minimum_cell;
    let shown = figures.shown(if staff { 0 } else { minimum_cell });
    let groups = shown.groups.into_iter().map(|(name, count)| GroupCount { name, count: count.map(Into::into) });
    let groups = groups.collect();
    Ok(web::Json(AttendanceFigures { total: shown.total.map(Into::into), groups, minimum_cell }))
}
