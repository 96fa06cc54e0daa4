use actix_web::http::StatusCode;
use actix_web::{post, put, web};
use chrono::{DateTime, Utc};
use entities::ids::{ShiftId, SignupId, UserId};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::activities::ShiftView;
use crate::identity::Actor;
use crate::platform::http::{Body, Command, Outcome, Problem, command, text, transact};
use crate::platform::state::AppState;
use crate::volunteering::service::changes::{self, Change};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(change).service(call_off);
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShiftChange {
    #[garde(skip)]
    starts_at: DateTime<Utc>,
    #[garde(skip)]
    ends_at: DateTime<Utc>,
    #[garde(range(min = 1, max = 10_000))]
    capacity: i32,
    #[garde(skip)]
    leader_id: UserId,
    /// Sign-ups whose seats are taken back, when there are to be fewer: they go to the head of the waiting list and are told.
    #[serde(default)]
    #[garde(length(max = 500))]
    release: Vec<SignupId>,
}

/// Change a shift before it begins, as its leader or staff
///
/// Whoever signed up is told. A time that clashes with other shifts of theirs is refused (409 `overlapping_shift` or
/// `rest_too_short`, naming them masked), and fewer seats than are taken (409 `seats_taken`) unless `release` names whose go.
#[utoipa::path(tag = "volunteering", request_body = ShiftChange, responses((status = 200, body = ShiftView)))]
#[put("/shifts/{id}")]
async fn change(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    body: Body<ShiftChange>,
) -> Result<web::Json<ShiftView>, Problem> {
    let ShiftChange { starts_at, ends_at, capacity, leader_id, release } = &body.0;
    let row = transact(&state, async |txn| {
        let change =
            Change { starts_at: *starts_at, ends_at: *ends_at, capacity: *capacity, leader_id: *leader_id, release };
        changes::change(&state, txn, &actor, *id, change).await
    })
    .await?;
    Ok(web::Json(ShiftView::new(row, None)))
}

#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallOff {
    /// Those who signed up read it.
    #[garde(custom(text::line(100)))]
    reason: String,
}

/// Call a shift off before it begins, as its leader or staff; everybody who signed up is told
#[utoipa::path(tag = "volunteering", request_body = CallOff, responses((status = 200, body = ShiftView)))]
#[post("/shifts/{id}/call-off")]
async fn call_off(
    state: web::Data<AppState>,
    actor: Actor,
    id: web::Path<ShiftId>,
    request: Command<CallOff>,
) -> Result<Outcome, Problem> {
    command(&state, actor.user_id, &request.key, StatusCode::OK, async |txn| {
        let row = changes::call_off(&state, txn, &actor, *id, &request.input.reason).await?;
        Ok(ShiftView::new(row, None))
    })
    .await
}
