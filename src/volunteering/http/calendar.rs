use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::identity::Actor;
use crate::platform::code::Code;
use crate::platform::http::{Command, Nothing, Outcome, Problem, command};
use crate::platform::state::AppState;
use crate::volunteering::service::calendar;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(make).service(read);
}

/// A secret link to one's own shifts.
#[derive(Serialize, ToSchema)]
struct Feed {
    /// For a phone's calendar to subscribe to. Whoever has it reads the calendar.
    url: String,
    created_at: DateTime<Utc>,
}

/// What is stored of it: no link.
#[derive(Serialize)]
struct Made {
    created_at: DateTime<Utc>,
}

/// Make a link to one's own shifts for a phone's calendar; one made before ends
#[utoipa::path(tag = "volunteering", responses((status = 201, body = Feed)))]
#[post("/me/calendar")]
async fn make(state: web::Data<AppState>, actor: Actor, request: Command<Nothing>) -> Result<Outcome, Problem> {
    let mut outcome = command(&state, actor.user_id, &request.key, StatusCode::CREATED, async |txn| {
        calendar::make(&state, txn, &actor).await.map(|feed| Made { created_at: feed.created_at })
    })
    .await?;
    // The stored answer holds no secret; a repetition reads the link that is good now.
    if outcome.is_success()
        && let Some(body) = outcome.body.as_object_mut()
    {
        let feed = calendar::current(state.db.read(), actor.user_id).await?.ok_or(Code::Internal)?;
        let url = format!("{}/api/v1/calendar/{}.ics", state.config.public_url, calendar::token(&state, &feed));
        body.insert("url".to_owned(), url.into());
    }
    Ok(outcome)
}

/// The shifts behind a secret link, as iCalendar
///
/// Called-off shifts and cancelled sign-ups stay in it as `CANCELLED` for a month; it names nobody.
#[utoipa::path(tag = "volunteering", security(()),
    responses((status = 200, content_type = "text/calendar", body = String)))]
#[get("/calendar/{token}.ics")]
async fn read(state: web::Data<AppState>, token: web::Path<String>) -> Result<HttpResponse, Problem> {
    let text = calendar::read(&state, &token).await?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/calendar; charset=utf-8")).body(text))
}
