//! `/sim/*` and the page.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::{Data, Json, Query};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Control, ControlError};
use crate::content::{Suggest, TextRule, Verdict};
use crate::crypto::PushCipher;
use crate::faults::FaultJson;
use crate::ids;
use crate::messages::Answer;
use crate::push::Event;
use crate::settings::{Persona, Push};
use crate::world::World;

impl ResponseError for ControlError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::UnknownPersona(_) | Self::UnknownTemplate(_) => StatusCode::NOT_FOUND,
            Self::PersonaExists(_) | Self::NoPush => StatusCode::CONFLICT,
            Self::PushCheck(_) => StatusCode::BAD_GATEWAY,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).json(json!({ "error": self.to_string() }))
    }
}

type Answered = Result<Json<Value>, ControlError>;

/// A year at a time is enough for a demo.
const FURTHEST_SECONDS: u64 = 366 * 86_400;

/// The page and the commands.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    let invalid = |error: &dyn std::fmt::Display| ControlError::Invalid(error.to_string()).into();
    // JSON only with its content type, so that no other site's form can send a command.
    let json = web::JsonConfig::default().error_handler(move |error, _: &HttpRequest| invalid(&error));
    let query = web::QueryConfig::default().error_handler(move |error, _: &HttpRequest| invalid(&error));
    config.route("/", web::get().to(page)).service(
        web::scope("/sim")
            .app_data(json)
            .app_data(query)
            .route("/overview", web::get().to(overview))
            .route("/login-code", web::get().to(login_code))
            .route("/phone-code", web::get().to(phone_code))
            .route("/personas", web::get().to(personas))
            .route("/personas", web::post().to(add_persona))
            .route("/messages", web::get().to(messages))
            .route("/consents", web::post().to(consent))
            .route("/faults", web::post().to(add_fault))
            .route("/faults", web::delete().to(clear_faults))
            .route("/verdicts", web::post().to(text_verdict))
            .route("/media-verdicts", web::post().to(media_verdict))
            .route("/push", web::put().to(set_push))
            .route("/push", web::delete().to(unset_push))
            .route("/push/verify", web::post().to(verify_push))
            .route("/pushes", web::get().to(pushes))
            .route("/events", web::post().to(event))
            .route("/clock", web::get().to(clock))
            .route("/clock", web::post().to(advance))
            .route("/token/expire", web::post().to(expire_token))
            .route("/calls", web::get().to(calls)),
    );
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:",
        ))
        .body(include_str!("../page.html"))
}

#[derive(Deserialize)]
struct Who {
    persona: String,
}

/// Everything the page shows.
async fn overview(control: Data<Control>, world: Data<World>) -> Json<Value> {
    let state = world.state();
    let phones = state.people.all().iter().map(|persona| {
        let left = |id: &String| json!({ "template": id, "left": state.mailbox.left(&persona.openid, id) });
        json!({
            "persona": persona,
            "consents": world.settings.templates.iter().map(|template| left(&template.id)).collect::<Vec<_>>(),
            "messages": state.mailbox.messages(&persona.openid),
        })
    });
    let phones: Vec<Value> = phones.collect();
    Json(json!({
        "now": control.clock().now(),
        "appid": world.settings.appid,
        "push": state.push.as_ref().map(|push| json!({ "url": push.url, "mode": push.mode })),
        "sign_in_hint": state.sign_in_hint,
        "templates": world.settings.templates,
        "phones": phones,
    }))
}

async fn login_code(control: Data<Control>, who: Query<Who>) -> Answered {
    Ok(Json(json!({ "code": control.login_code(&who.persona)? })))
}

async fn phone_code(control: Data<Control>, who: Query<Who>) -> Answered {
    Ok(Json(json!({ "code": control.phone_code(&who.persona)? })))
}

async fn personas(control: Data<Control>) -> Json<Vec<Persona>> {
    Json(control.personas())
}

#[derive(Deserialize)]
struct NewPersona {
    name: String,
    openid: Option<String>,
    unionid: Option<String>,
    phone: Option<String>,
    label: Option<String>,
}

async fn add_persona(control: Data<Control>, new: Json<NewPersona>) -> Result<HttpResponse, ControlError> {
    let new = new.into_inner();
    if new.name.is_empty() {
        return Err(ControlError::Invalid("a persona needs a name".to_owned()));
    }
    let persona = Persona {
        openid: new.openid.unwrap_or_else(ids::openid),
        unionid: new.unionid,
        phone: new.phone.unwrap_or_else(ids::phone),
        label: new.label.unwrap_or_else(|| new.name.clone()),
        name: new.name,
    };
    control.add_persona(persona.clone())?;
    Ok(HttpResponse::Created().json(persona))
}

async fn messages(control: Data<Control>, world: Data<World>, who: Query<Who>) -> Answered {
    world.state().people.find(&who.persona)?;
    Ok(Json(json!(control.sent_messages(&who.persona))))
}

#[derive(Deserialize)]
struct Consent {
    persona: String,
    template: String,
    #[serde(default = "once")]
    count: u32,
    #[serde(default)]
    answer: Answer,
}

fn once() -> u32 {
    1
}

async fn consent(control: Data<Control>, consent: Json<Consent>) -> Answered {
    if !(1..=100).contains(&consent.count) {
        return Err(ControlError::Invalid("count must be from 1 to 100".to_owned()));
    }
    control.answer_consent(&consent.persona, &consent.template, consent.answer, consent.count)?;
    Ok(Json(json!({ "left": control.consents_left(&consent.persona, &consent.template)? })))
}

async fn add_fault(control: Data<Control>, fault: Json<FaultJson>) -> Answered {
    let fault = fault.into_inner();
    let answer = json!(fault);
    control.fault(fault.try_into().map_err(|error: &str| ControlError::Invalid(error.to_owned()))?);
    Ok(Json(answer))
}

async fn clear_faults(control: Data<Control>) -> Json<Value> {
    control.clear_faults();
    Json(json!({}))
}

fn verdict(suggest: Suggest, label: Option<i64>) -> Verdict {
    let usual = Verdict::from(suggest);
    Verdict { label: label.unwrap_or(usual.label), ..usual }
}

#[derive(Deserialize)]
struct TextVerdict {
    contains: String,
    suggest: Suggest,
    label: Option<i64>,
}

async fn text_verdict(control: Data<Control>, new: Json<TextVerdict>) -> Answered {
    let new = new.into_inner();
    if new.contains.is_empty() {
        return Err(ControlError::Invalid("contains must not be empty".to_owned()));
    }
    let verdict = verdict(new.suggest, new.label);
    let answer = json!({ "contains": new.contains, "suggest": verdict.suggest, "label": verdict.label });
    control.script_text(TextRule { contains: new.contains, verdict });
    Ok(Json(answer))
}

#[derive(Deserialize)]
struct MediaVerdict {
    /// For the next check.
    next: Option<Suggest>,
    /// For every check of an address with this in it.
    url_contains: Option<String>,
    suggest: Option<Suggest>,
    label: Option<i64>,
    /// For every check from now on.
    delay_ms: Option<u64>,
}

async fn media_verdict(control: Data<Control>, new: Json<MediaVerdict>) -> Answered {
    match (new.next, &new.url_contains, new.suggest) {
        (Some(next), None, None) => control.script_next_media(verdict(next, new.label)),
        (None, Some(part), Some(suggest)) => control.script_media_url(part, verdict(suggest, new.label)),
        (None, None, None) if new.delay_ms.is_some() => {}
        _ => return Err(ControlError::Invalid("give next, or url_contains and suggest, or delay_ms".to_owned())),
    }
    if let Some(delay) = new.delay_ms {
        control.set_media_delay(Duration::from_millis(delay));
    }
    Ok(Json(json!({})))
}

async fn set_push(control: Data<Control>, world: Data<World>, push: Json<Push>) -> Answered {
    let push = push.into_inner();
    let cipher = PushCipher::new(&push.encoding_aes_key, &world.settings.appid);
    cipher.map_err(|error| ControlError::Invalid(error.to_string()))?;
    let answer = json!({ "url": push.url, "mode": push.mode });
    control.set_push(Some(push));
    Ok(Json(answer))
}

async fn unset_push(control: Data<Control>) -> Json<Value> {
    control.set_push(None);
    Json(json!({}))
}

async fn verify_push(control: Data<Control>) -> Answered {
    control.verify_push().await?;
    Ok(Json(json!({ "verified": true })))
}

async fn pushes(control: Data<Control>) -> Json<Value> {
    Json(json!(control.deliveries()))
}

#[derive(Deserialize)]
struct Events {
    #[serde(flatten)]
    event: Event,
    /// How often the very same event is sent, to see whether the backend recognises a repetition.
    #[serde(default = "once")]
    copies: u32,
}

async fn event(control: Data<Control>, events: Json<Events>) -> Answered {
    let Events { mut event, copies } = events.into_inner();
    event.fields.entry("CreateTime").or_insert_with(|| json!(control.clock().now().timestamp()));
    let mut deliveries = Vec::new();
    for _ in 0..copies.clamp(1, 10) {
        deliveries.push(control.send_event(event.clone()).await?);
    }
    Ok(Json(json!({ "deliveries": deliveries })))
}

async fn clock(control: Data<Control>) -> Json<Value> {
    Json(json!({ "now": control.clock().now() }))
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: u64,
}

async fn advance(control: Data<Control>, by: Json<Advance>) -> Answered {
    if by.advance_seconds > FURTHEST_SECONDS {
        return Err(ControlError::Invalid("advance_seconds must be at most a year".to_owned()));
    }
    control.advance(Duration::from_secs(by.advance_seconds));
    Ok(clock(control).await)
}

#[derive(Default, Deserialize)]
struct Expire {
    #[serde(default)]
    stuck: bool,
}

async fn expire_token(control: Data<Control>, expire: Option<Json<Expire>>) -> Json<Value> {
    if expire.is_some_and(|expire| expire.stuck) {
        control.expire_token_stuck();
    } else {
        control.expire_token();
    }
    Json(json!({}))
}

async fn calls(control: Data<Control>) -> Json<Value> {
    Json(json!(control.calls()))
}
