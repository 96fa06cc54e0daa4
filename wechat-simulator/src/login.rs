//! Signing in: login codes, session keys, and the phone number.

use std::collections::{HashMap, VecDeque};

use actix_web::web;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::crypto::hex;
use crate::errcode::Errcode;
use crate::ids;
use crate::rates::Counted;
use crate::tokens::Authorised;
use crate::wire::{Body, Query, ok};
use crate::world::World;

const CODE_LIFE: TimeDelta = TimeDelta::minutes(5);

#[derive(Debug)]
struct Code {
    openid: String,
    until: DateTime<Utc>,
    used: bool,
}

/// Codes of one kind, each good for five minutes and one use.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    codes: HashMap<String, Code>,
    oldest_first: VecDeque<String>,
}

impl Codes {
    pub(crate) fn issue(&mut self, code: String, openid: &str, now: DateTime<Utc>) -> String {
        self.forget_expired(now);
        self.oldest_first.push_back(code.clone());
        self.codes.insert(code.clone(), Code { openid: openid.to_owned(), until: now + CODE_LIFE, used: false });
        code
    }

    /// Whose code this is; it works no second time.
    fn redeem(&mut self, code: &str, now: DateTime<Utc>) -> Result<String, Errcode> {
        let code = self.codes.get_mut(code).filter(|code| now < code.until).ok_or(Errcode::INVALID_CODE)?;
        if std::mem::replace(&mut code.used, true) {
            return Err(Errcode::CODE_USED);
        }
        Ok(code.openid.clone())
    }

    fn forget_expired(&mut self, now: DateTime<Utc>) {
        while let Some(oldest) = self.oldest_first.front() {
            if self.codes.get(oldest).is_some_and(|code| now < code.until) {
                break;
            }
            self.codes.remove(oldest);
            self.oldest_first.pop_front();
        }
    }
}

/// A person's one valid session key.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    key: String,
    pub(crate) since: DateTime<Utc>,
}

/// Everything about signing in.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    pub(crate) login_codes: Codes,
    pub(crate) phone_codes: Codes,
    pub(crate) sessions: HashMap<String, Session>,
}

#[derive(Deserialize)]
pub(crate) struct LoginRequest {
    appid: Option<String>,
    secret: Option<String>,
    js_code: Option<String>,
    #[serde(default)]
    grant_type: String,
}

/// What code2Session answers: no errcode, as WeChat's.
#[derive(Debug, Serialize)]
pub(crate) struct LoginAnswer {
    openid: String,
    session_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

/// `GET /sns/jscode2session`
pub(crate) async fn code_to_session(
    world: web::Data<World>,
    query: Query<LoginRequest>,
) -> Result<web::Json<LoginAnswer>, Errcode> {
    let request = query.0;
    if request.grant_type != "authorization_code" {
        return Err(Errcode::INVALID_GRANT_TYPE);
    }
    world.check_credential(request.appid.as_deref(), request.secret.as_deref(), Errcode::INVALID_SECRET)?;
    let code = request.js_code.filter(|code| !code.is_empty()).ok_or(Errcode::MISSING_CODE)?;
    let now = world.now();
    let mut state = world.state();
    let openid = state.logins.login_codes.redeem(&code, now)?;
    world.hit(&mut state, Counted::Login(openid.clone()), now)?;
    let persona = state.persona(&openid).ok_or(Errcode::INVALID_CODE)?;
    let unionid = persona.unionid.clone();
    let session = Session { key: ids::session_key(), since: now };
    let session_key = session.key.clone();
    state.logins.sessions.insert(openid.clone(), session);
    Ok(web::Json(LoginAnswer { openid, session_key, unionid }))
}

#[derive(Deserialize)]
pub(crate) struct PhoneRequest {
    code: Option<String>,
    openid: Option<String>,
}

/// `POST /wxa/business/getuserphonenumber`
pub(crate) async fn phone_number(
    _: Authorised,
    world: web::Data<World>,
    body: Body<PhoneRequest>,
) -> Result<web::Json<Value>, Errcode> {
    let code = body.0.code.filter(|code| !code.is_empty()).ok_or(Errcode::INVALID_CODE)?;
    let now = world.now();
    let mut state = world.state();
    // WeChat lists no "been used" for this call: a spent code is an invalid one.
    let owner = state.logins.phone_codes.redeem(&code, now).or(Err(Errcode::INVALID_CODE))?;
    if body.0.openid.is_some_and(|openid| openid != owner) {
        return Err(Errcode::INVALID_CODE);
    }
    let phone = state.persona(&owner).map(|persona| persona.phone.clone()).ok_or(Errcode::INVALID_CODE)?;
    Ok(ok(json!({ "phone_info": {
        "phoneNumber": phone,
        "purePhoneNumber": phone,
        "countryCode": "86",
        "watermark": { "timestamp": now.timestamp(), "appid": world.settings.appid },
    }})))
}

#[derive(Deserialize)]
pub(crate) struct SessionRequest {
    #[serde(default)]
    openid: String,
    #[serde(default)]
    signature: String,
    #[serde(default)]
    sig_method: String,
}

/// `GET /wxa/checksession`
pub(crate) async fn check_session(
    _: Authorised,
    world: web::Data<World>,
    query: Query<SessionRequest>,
) -> Result<web::Json<Value>, Errcode> {
    let request = query.0;
    if request.sig_method != "hmac_sha256" {
        return Err(Errcode::INVALID_ARGS);
    }
    let state = world.state();
    state.known(&request.openid)?;
    let session = state.logins.sessions.get(&request.openid);
    let valid = session.and_then(|session| session_signature(&session.key));
    if valid.is_none_or(|valid| valid != request.signature) {
        return Err(Errcode::INVALID_SESSION_SIGNATURE);
    }
    Ok(ok(json!({})))
}

/// `hmac_sha256(session_key, "")`, the key being its base64 text, not the bytes in it.
fn session_signature(session_key: &str) -> Option<String> {
    let mac = Hmac::<Sha256>::new_from_slice(session_key.as_bytes()).ok()?;
    Some(hex(&mac.finalize().into_bytes()))
}
