use std::collections::HashMap;

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use entities::identity::user;
use entities::ids::{PlaceId, ShiftId, SignupId, UserId};
use entities::volunteering::{offline_check_in, signup};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::{Actor, masked_name, residence};
use crate::places;
use crate::platform::code::Code;
use crate::platform::config::Rules;
use crate::platform::http::{Caller, Page, PageParams, Paging, Params, Problem};
use crate::platform::state::AppState;
use crate::volunteering::domain::{self, Nearness};
use crate::volunteering::service::{find_shift, in_charge, records};
use crate::volunteering::{ServiceRecord, SignupState};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(of_shift).service(mine).service(hours);
}

/// How somebody's coming or leaving became known.
#[derive(Serialize, Deserialize, ToSchema)]
struct ProofView {
    /// `qr`, `leader`, `offline`, `review`.
    method: String,
    /// The moment that counts.
    at: Option<DateTime<Utc>>,
    /// A hint: where the phone said it was.
    position: Option<PositionView>,
    /// For an upload: what the phone's clock said, and when it arrived.
    device_time: Option<DateTime<Utc>>,
    received_at: Option<DateTime<Utc>>,
    /// Uploaded more than 30 minutes after the scan.
    late: Option<bool>,
    /// Of a review.
    reason: Option<String>,
}

/// About where a phone said it was; it decides nothing.
#[derive(Serialize, Deserialize, ToSchema)]
struct PositionView {
    latitude: f64,
    longitude: f64,
    accuracy_m: Option<f64>,
    /// From the meeting point, if there was one.
    distance_m: Option<f64>,
    radius_m: Option<i32>,
    nearness: Option<Nearness>,
}

/// Somebody who came or is expected, as the shift's leader sees it before confirming.
#[derive(Serialize, ToSchema)]
struct Presence {
    signup_id: SignupId,
    /// Masked.
    name: String,
    state: SignupState,
    checked_in_at: Option<DateTime<Utc>>,
    checked_out_at: Option<DateTime<Utc>>,
    check_in: Option<ProofView>,
    check_out: Option<ProofView>,
    /// Uploads that found the sign-up as they would have made it: evidence beside the proofs.
    also_uploaded: Vec<DateTime<Utc>>,
    /// What confirming would credit, or has credited.
    minutes: Option<i64>,
}

fn proof(all: &Value, step: &str) -> Option<ProofView> {
    // What an older version stored may lack a field; what cannot be read is not shown.
    serde_json::from_value(all.get(step)?.clone()).ok()
}

/// Presence in a shift with its proofs, for its leader and staff
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<Presence>)))]
#[get("/shifts/{id}/presence")]
async fn of_shift(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    params: Params<PageParams>,
) -> Result<web::Json<Page<Presence>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let shift = find_shift(state.db.read(), *id).await?;
    if !in_charge(&actor, &shift) {
        return Err(Code::Forbidden.into());
    }
    let seated = signup::Entity::find()
        .filter(signup::Column::ShiftId.eq(shift.id))
        .filter(signup::Column::State.is_in(domain::SEATED));
    let rows = paging.apply(seated, signup::Column::Id).all(state.db.read()).await?;
    let people = user::Entity::find().filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)));
    let names: HashMap<UserId, String> =
        people.all(state.db.read()).await?.into_iter().map(|row| (row.id, masked_name(&row.nickname))).collect();
    let uploads = offline_check_in::Entity::find()
        .filter(offline_check_in::Column::SignupId.is_in(rows.iter().map(|row| row.id)))
        .filter(offline_check_in::Column::Applied.eq(false));
    let mut evidence: HashMap<SignupId, Vec<DateTime<Utc>>> = HashMap::new();
    for row in uploads.all(state.db.read()).await? {
        evidence.entry(row.signup_id).or_default().push(row.at);
    }
    let span = domain::Span { from: shift.starts_at, to: shift.ends_at };
    Ok(web::Json(paging.page(
        &state.keys,
        rows,
        |row| row.id.0,
        |row| {
            let presence = row.checked_in_at.zip(row.checked_out_at).map(|(from, to)| domain::Span { from, to });
            Presence {
                signup_id: row.id,
                name: names.get(&row.user_id).cloned().unwrap_or_default(),
                state: row.state,
                checked_in_at: row.checked_in_at,
                checked_out_at: row.checked_out_at,
                check_in: proof(&row.proof, "check_in"),
                check_out: proof(&row.proof, "check_out"),
                also_uploaded: evidence.remove(&row.id).unwrap_or_default(),
                minutes: row.minutes.or_else(|| presence.map(|presence| presence.common_minutes(span))),
            }
        },
    )))
}

/// One's own services with all that was recorded of them, newest first
#[utoipa::path(tag = "volunteering", params(PageParams), responses((status = 200, body = Page<ServiceRecord>)))]
#[get("/me/service-records")]
async fn mine(
    state: web::Data<AppState>,
    caller: Caller,
    params: Params<PageParams>,
) -> Result<web::Json<Page<ServiceRecord>>, Problem> {
    let paging = Paging::new(&state.keys, params.cursor.as_deref(), params.limit)?;
    let rows = paging.apply(records::present(caller.user_id), signup::Column::Id).all(state.db.read()).await?;
    let views = records::of_signups(state.db.read(), rows).await?;
    Ok(web::Json(paging.page(&state.keys, views, |view| view.id.0, |view| view)))
}

/// What one has served.
#[derive(Serialize, ToSchema)]
struct Hours {
    /// Confirmed ones, as corrected; they are never spent.
    minutes: i64,
    stars: usize,
}

/// One's own service minutes and the stars reached by the rules of the community where one lives
#[utoipa::path(tag = "volunteering", responses((status = 200, body = Hours)))]
#[get("/me/hours")]
async fn hours(state: web::Data<AppState>, caller: Caller) -> Result<web::Json<Hours>, Problem> {
    let connection = state.db.read();
    let minutes = records::served_minutes(connection, caller.user_id, None).await?;
    let home: Option<PlaceId> = residence(connection, caller.user_id).await?.map(|home| home.community_id);
    let rules: Rules = match home {
        Some(community) => places::rules(&state, connection, community).await?,
        None => state.config.rules.clone(),
    };
    Ok(web::Json(Hours { minutes, stars: domain::stars(minutes, &rules.star_hours) }))
}
