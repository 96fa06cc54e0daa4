use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{ComplaintId, ModerationItemId, NeedId, PlaceId, ReportId};
use entities::moderation::{
    ModerationAction, ModerationReason, ModerationState, SecurityState, complaint, item, report,
};
use garde::Validate;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::service;
use crate::identity::{Actor, Permission, Role, masked_name};
use crate::places;
use crate::platform::code::Code;
use crate::platform::http::{Command, Outcome, Page, Paging, Params, Problem, command, text};
use crate::platform::ids;
use crate::platform::state::AppState;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(read).service(decide).service(file_report).service(complain).service(complaints);
}

/// One thing in the queue.
#[derive(Serialize, ToSchema)]
struct ItemView {
    id: ModerationItemId,
    community_id: PlaceId,
    /// What it is, `need` say, with `target_id`.
    target_kind: String,
    target_id: Uuid,
    reason: ModerationReason,
    /// How far content security is; absent where only a report brought it here.
    security: Option<SecurityState>,
    excerpt: String,
    report_count: i64,
    state: ModerationState,
    action: Option<ModerationAction>,
    decision_reason: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<item::Model> for ItemView {
    fn from(row: item::Model) -> Self {
        Self {
            id: row.id,
            community_id: row.community_id,
            target_kind: row.target_kind,
            target_id: row.target_id,
            reason: row.reason,
            security: row.security,
            excerpt: row.excerpt,
            report_count: row.report_count,
            state: row.state,
            action: row.action,
            decision_reason: row.decision_reason,
            decided_at: row.decided_at,
            created_at: row.created_at,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ItemParams {
    /// `open` without it.
    state: Option<ModerationState>,
    /// All of one's places without it.
    place_id: Option<PlaceId>,
    reason: Option<ModerationReason>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// The queue of the places that one moderates
#[utoipa::path(tag = "moderation", params(ItemParams), responses((status = 200, body = Page<ItemView>)))]
#[get("/moderation/items")]
async fn list(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ItemParams>,
) -> Result<web::Json<Page<ItemView>>, Problem> {
    let paths = actor.require_somewhere(Permission::Moderate)?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let place = match params.place_id {
        Some(id) => {
            let place = places::named(state.db.read(), id, "?place_id").await?;
            actor.require(Permission::Moderate, &place.path)?;
            places::listed_in(&place, item::Column::CommunityId, item::Column::PlacePath)
        }
        None => places::within_any(item::Column::PlacePath, paths),
    };
    let mut items = item::Entity::find()
        .filter(place)
        .filter(item::Column::State.eq(params.state.unwrap_or(ModerationState::Open)));
    if let Some(reason) = params.reason {
        items = items.filter(item::Column::Reason.eq(reason));
    }
    let rows = paging.apply(items, item::Column::Id).all(state.db.read()).await?;
    Ok(web::Json(paging.page(&state.keys, rows, |row| row.id.0, ItemView::from)))
}

/// What somebody wrote when they reported something.
#[derive(Serialize, ToSchema)]
struct ReportReason {
    reason: String,
    created_at: DateTime<Utc>,
}

impl From<report::Model> for ReportReason {
    fn from(row: report::Model) -> Self {
        Self { reason: row.reason, created_at: row.created_at }
    }
}

/// One thing in the queue, with what was reported about it.
#[derive(Serialize, ToSchema)]
struct ItemDetail {
    #[serde(flatten)]
    item: ItemView,
    /// The newest 50.
    reports: Vec<ReportReason>,
}

/// One thing in the queue, with the reports about it
#[utoipa::path(tag = "moderation", responses((status = 200, body = ItemDetail)))]
#[get("/moderation/items/{id}")]
async fn read(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ModerationItemId>,
) -> Result<web::Json<ItemDetail>, Problem> {
    let row = service::find(state.db.read(), &actor, *id).await?;
    let reports = service::reports(&state, row.id).await?;
    let reports = reports.into_iter().map(ReportReason::from).collect();
    Ok(web::Json(ItemDetail { item: row.into(), reports }))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// `approve` and `hide` close an open item; `restore` takes back what a closed one hid.
    #[garde(skip)]
    action: ModerationAction,
    /// The author reads it; needed to hide.
    #[garde(inner(custom(text::paragraph(200))))]
    reason: Option<String>,
}

/// Decide on something in the queue; whoever decides first has decided
#[utoipa::path(tag = "moderation", request_body = Decision, responses((status = 200, body = ItemView)))]
#[post("/moderation/items/{id}/decision")]
async fn decide(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ModerationItemId>,
    request: Command<Decision>,
) -> Result<Outcome, Problem> {
    let Decision { action, reason } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let reason = reason.as_deref().map(str::trim);
        service::decide(&state, txn, &actor, *id, *action, reason).await.map(ItemView::from)
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReport {
    /// `need`
    #[garde(custom(text::line(30)))]
    target_kind: String,
    #[garde(skip)]
    target_id: Uuid,
    /// Moderators read it.
    #[garde(custom(text::paragraph(500)))]
    reason: String,
}

/// A report.
#[derive(Serialize, ToSchema)]
struct ReportView {
    id: ReportId,
}

/// Report something that somebody else wrote; once a person and thing
#[utoipa::path(tag = "moderation", request_body = NewReport, responses((status = 201, body = ReportView)))]
#[post("/reports")]
async fn file_report(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewReport>,
) -> Result<Outcome, Problem> {
    let NewReport { target_kind, target_id, reason } = &request.input;
    // Read before the transaction: it holds its own connection.
    let preview = service::moderated(&state, target_kind)?.preview(state.db.read(), *target_id).await?;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let preview = preview.as_ref().filter(|preview| preview.public).ok_or(Code::NotFound)?;
        let id = service::report(&state, txn, &actor, (target_kind, *target_id), preview, reason.trim()).await?;
        Ok(ReportView { id })
    })
    .await
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewComplaint {
    /// Whom or what it is about.
    #[garde(custom(text::optional_line(100)))]
    about: Option<String>,
    #[garde(custom(text::paragraph(2000)))]
    body: String,
}

/// A complaint that was taken.
#[derive(Serialize, ToSchema)]
struct ComplaintTaken {
    id: ComplaintId,
}

/// Complain about the service or somebody's conduct; only staff read it
#[utoipa::path(tag = "moderation", request_body = NewComplaint, responses((status = 201, body = ComplaintTaken)))]
#[post("/complaints")]
async fn complain(
    state: web::Data<AppState>,
    actor: Actor,
    request: Command<NewComplaint>,
) -> Result<Outcome, Problem> {
    let NewComplaint { about, body } = &request.input;
    command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        let (community_id, place_path) = service::complaint_place(txn, &actor).await?;
        let row = complaint::ActiveModel {
            id: Set(ids::ordered(&state.clock)),
            user_id: Set(actor.user_id),
            community_id: Set(community_id),
            place_path: Set(place_path),
            about: Set(about.as_deref().map(|about| about.trim().to_owned())),
            body: Set(body.trim().to_owned()),
            created_at: Set(state.clock.now()),
            need_id: Set(None),
        };
        Ok(ComplaintTaken { id: row.insert(txn).await?.id })
    })
    .await
}

/// A complaint.
#[derive(Serialize, ToSchema)]
struct ComplaintView {
    id: ComplaintId,
    /// Absent for somebody without a residence.
    community_id: Option<PlaceId>,
    about: Option<String>,
    /// The need whose handling it is about.
    need_id: Option<NeedId>,
    body: String,
    /// Masked.
    author: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ComplaintParams {
    cursor: Option<String>,
    limit: Option<u64>,
}

/// Complaints from the places where one reads them; the district also reads those of people without a residence
#[utoipa::path(tag = "moderation", params(ComplaintParams), responses((status = 200, body = Page<ComplaintView>)))]
#[get("/complaints")]
async fn complaints(
    state: web::Data<AppState>,
    actor: Actor,
    params: Params<ComplaintParams>,
) -> Result<web::Json<Page<ComplaintView>>, Problem> {
    let paths = actor.require_somewhere(Permission::ReadComplaints)?;
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let mut place = Condition::any().add(places::within_any(complaint::Column::PlacePath, paths));
    if actor.held().any(|grant| grant.role == Role::DistrictStaff) {
        place = place.add(complaint::Column::PlacePath.eq(service::NOWHERE));
    }
    let rows = paging.apply(complaint::Entity::find().filter(place), complaint::Column::Id);
    let rows = rows.all(state.db.read()).await?;
    let authors = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)));
    let authors = authors.all(state.db.read()).await?;
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| ComplaintView {
            author: authors.iter().find(|person| person.id == row.user_id).map(|person| masked_name(&person.nickname)),
            id: row.id,
            community_id: row.community_id,
            about: row.about,
            need_id: row.need_id,
            body: row.body,
            created_at: row.created_at,
        },
    )))
}
