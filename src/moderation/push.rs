//! Where WeChat pushes to: verdicts on pictures, and what people answer to or do with subscribe messages.

use std::time::Duration;

use actix_web::{HttpResponse, get, post, web};
use utoipa_actix_web::service_config::ServiceConfig;

use super::security::{PICTURES_JOB, PicturePayload};
use crate::platform::code::Code;
use crate::platform::http::{Params, Problem, transact};
use crate::platform::jobs;
use crate::platform::state::AppState;
use crate::platform::wechat::push::{Event, MediaOutcome, PushError, PushQuery, PushSettings};
use crate::{files, notifications};

/// A verdict can be quicker than the transaction that stores its trace id; WeChat waits five seconds for an answer.
const LOOKS: u32 = 8;
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(verify_address).service(receive);
}

fn settings(state: &AppState) -> Result<&PushSettings, Problem> {
    state.push.as_ref().ok_or_else(|| Code::NotFound.into())
}

/// WeChat checks the address of the push
#[utoipa::path(
    tag = "wechat",
    params(
        ("signature" = String, Query),
        ("timestamp" = String, Query),
        ("nonce" = String, Query),
        ("echostr" = String, Query, description = "Comes back as it is")
    ),
    responses((status = 200, description = "`echostr`", content_type = "text/plain", body = String)),
    security(())
)]
#[get("/wechat/push")]
async fn verify_address(state: web::Data<AppState>, query: Params<PushQuery>) -> Result<HttpResponse, Problem> {
    if !settings(&state)?.verify_url(&query) {
        return Err(of_push(PushError::BadSignature));
    }
    let echo = query.echostr.clone().ok_or_else(|| Problem::field("?echostr", "missing"))?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(("x-content-type-options", "nosniff"))
        .body(echo))
}

/// WeChat pushes an event
///
/// Plain or encrypted as `wechat.encoding_aes_key` is set or not; signed in both modes. Anything but `success` makes WeChat
/// send it again, up to three times.
#[utoipa::path(
    tag = "wechat",
    params(
        ("signature" = String, Query),
        ("timestamp" = String, Query),
        ("nonce" = String, Query),
        ("msg_signature" = Option<String>, Query, description = "Of an encrypted push")
    ),
    request_body(content = String, content_type = "application/json"),
    responses((status = 200, description = "`success`", content_type = "text/plain", body = String)),
    security(())
)]
#[post("/wechat/push")]
async fn receive(
    state: web::Data<AppState>,
    query: Params<PushQuery>,
    body: Result<web::Bytes, actix_web::Error>,
) -> Result<HttpResponse, Problem> {
    let body = body.map_err(|error| Problem::from(Code::BodyTooLarge).caused_by(error.to_string()))?;
    let push = settings(&state)?.open(&query, &body, state.clock.now()).map_err(of_push)?;
    // Each of these can be repeated: WeChat sends again what did not get its answer in time.
    for event in push.events {
        match event {
            Event::MediaCheck { trace_id, outcome } => judged(&state, &trace_id, outcome).await?,
            Event::SubscribePopup { openid, template, accepted: false }
            | Event::SubscribeChange { openid, template, accepted: false } => {
                notifications::consent_withdrawn(&state, &openid, &template).await?;
            }
            Event::SubscribeSent { errcode, .. } if errcode != 0 => notifications::message_failed(errcode),
            // An acceptance is told by the mini-program itself (`POST /me/message-consents`); the rest comes with later issues.
            _ => {}
        }
    }
    Ok(HttpResponse::Ok().content_type("text/plain").body("success"))
}

/// Stores a verdict, waiting a little for its trace id. One that stays unknown is refused, so that WeChat sends it again.
async fn judged(state: &AppState, trace_id: &str, outcome: MediaOutcome) -> Result<(), Problem> {
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        let known = transact(state, async |txn| {
            let known = files::verdict(txn, trace_id, outcome).await?;
            if let Some(file_id) = known {
                jobs::enqueue(txn, &state.clock, PICTURES_JOB, PicturePayload { file_id }).await?;
            }
            Ok(known.is_some())
        })
        .await?;
        if known {
            return Ok(());
        }
    }
    Err(Problem::new(Code::Unavailable, "no picture with this trace id yet"))
}

fn of_push(error: PushError) -> Problem {
    tracing::warn!(%error, "a push was refused");
    let code = match error {
        PushError::BadSignature | PushError::Stale => Code::Forbidden,
        _ => Code::MalformedRequest,
    };
    Problem::from(code).caused_by(error)
}
