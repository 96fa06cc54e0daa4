//! WeChat's error codes: one table from name to number to text.
//!
//! An error is HTTP 200 with `{"errcode": N, "errmsg": "… rid: …"}`. The text is for people and ends in a request id
//! that differs each time, so a client that matches on it fails here as it would in production.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::ids;

/// A number WeChat answers in `errcode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errcode(pub i64);

macro_rules! errcodes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)+) => {
        impl Errcode {
            $($(#[$doc])* pub const $name: Self = Self($code);)+

            /// What WeChat writes into `errmsg`, without the request id.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self.0 {
                    $($code => $text,)+
                    _ => "simulated error",
                }
            }
        }
    };
}

errcodes! {
    /// The system is busy; try again.
    BUSY = -1, "system error";
    /// In a media check's push: the file could not be downloaded.
    DOWNLOAD_FAILED = -1008, "download failed";
    /// Wrong secret (plain token), or an access token that is not the latest.
    INVALID_CREDENTIAL = 40001, "invalid credential, access_token is invalid or not latest";
    /// `grant_type` is not the one of this call.
    INVALID_GRANT_TYPE = 40002, "invalid grant_type";
    /// The openid does not exist.
    INVALID_OPENID = 40003, "invalid openid";
    /// The media type is none of those listed.
    INVALID_MEDIA_TYPE = 40004, "invalid media type";
    /// The appid does not exist.
    INVALID_APPID = 40013, "invalid appid";
    /// The access token is not one that WeChat hands out.
    INVALID_TOKEN = 40014, "invalid access_token";
    /// The code is unknown or has expired.
    INVALID_CODE = 40029, "invalid code";
    /// The template does not belong to this account.
    INVALID_TEMPLATE = 40037, "invalid template_id";
    /// A URL is not one.
    INVALID_URL = 40066, "invalid url";
    /// An argument is out of its range.
    INVALID_ARGS = 40097, "invalid args";
    /// Wrong secret (stable token).
    INVALID_SECRET = 40125, "invalid appsecret";
    /// The scene of a check is none of those listed.
    INVALID_SCENE_NUMBER = 40129, "invalid scene";
    /// The code has been used.
    CODE_USED = 40163, "code been used";
    /// The caller's address is not on the list.
    IP_NOT_LISTED = 40164, "invalid ip, not in whitelist";
    /// The path of a link is not a page of the mini-program.
    INVALID_PATH = 40165, "invalid weapp pagepath";
    /// The scene of a code is too long or holds a character that is not allowed.
    INVALID_SCENE = 40169, "invalid length for scene, or the data is not json string";
    /// The query of a link is too long.
    INVALID_QUERY = 40212, "invalid query";
    /// WeChat holds this user for a risk.
    HIGH_RISK_USER = 40226, "high risk user, code blocked";
    /// The secret is frozen.
    SECRET_FROZEN = 40243, "appsecret has been frozen";
    /// No access token.
    MISSING_TOKEN = 41001, "access_token missing";
    /// No appid.
    MISSING_APPID = 41002, "appid missing";
    /// No secret.
    MISSING_SECRET = 41004, "appsecret missing";
    /// No code.
    MISSING_CODE = 41008, "missing code";
    /// The page does not exist, or is not published.
    INVALID_PAGE = 41030, "invalid page";
    /// The access token has expired.
    TOKEN_EXPIRED = 42001, "access_token expired";
    /// This call is a GET.
    REQUIRE_GET = 43001, "require GET method";
    /// This call is a POST.
    REQUIRE_POST = 43002, "require POST method";
    /// The person refused, or every accepted message has been sent.
    CONSENT_USED_UP = 43101, "user refuse to accept the msg";
    /// The openid belongs to another mini-program.
    OPENID_OF_ANOTHER_APP = 43104, "appid does not match openid";
    /// The template is banned for this person.
    TEMPLATE_BANNED = 43107, "subscribe template is banned";
    /// Two messages to one person at once.
    CONCURRENT_SEND = 43108, "concurrent send to one user";
    /// The body is empty.
    EMPTY_BODY = 44002, "empty post data";
    /// Too many links in a minute.
    LINKS_PER_MINUTE = 44990, "generate link too frequently";
    /// Too many checks in a minute.
    CHECKS_PER_MINUTE = 44991, "reach minute limit";
    /// Too many links today.
    LINKS_PER_DAY = 44993, "reach generate limit of today";
    /// The text is too long.
    TEXT_TOO_LONG = 45002, "content size out of limit";
    /// The day's quota is used up.
    DAILY_QUOTA = 45009, "reach max api daily quota limit";
    /// Too many calls in a minute.
    MINUTE_QUOTA = 45011, "api minute-quota reach limit, must slower, retry next minute";
    /// A message's text holds a word that is not allowed.
    SENSITIVE_WORD = 45168, "message contains sensitive word";
    /// The body is not the JSON this call wants.
    INVALID_JSON = 47001, "data format error";
    /// A template's field is missing, or what it holds does not fit.
    DOES_NOT_FIT = 47003, "argument invalid";
    /// The person has not opened the mini-program in the last two hours.
    NOT_ACTIVE = 61010, "code is expired, user has not accessed the mini program in the last 2 hours";
    /// The mini-program is not published.
    UNPUBLISHED = 85079, "miniprogram has no online release";
    /// A link's expiry is out of its range.
    INVALID_EXPIRY = 85401, "expire time out of range";
    /// A link's environment is none of those listed.
    INVALID_ENV = 85402, "invalid env_version";
    /// `scancode_time` is WeChat's own parameter.
    RESERVED_FIELD = 85096, "not allow include scancode_time field";
    /// The signature was not made with the valid session key.
    INVALID_SESSION_SIGNATURE = 87009, "invalid signature";
    /// This file is being checked already.
    MEDIA_REPEATED = 87020, "repeated media check";
    /// The administrator has not confirmed this address.
    IP_NOT_CONFIRMED = 89503, "this ip call needs the administrator's confirmation";
    /// The administrator refused this address.
    IP_REFUSED_FOR_DAY = 89506, "this ip was refused twice by the administrator, 24 hours";
    /// The administrator refused this address.
    IP_REFUSED_FOR_HOUR = 89507, "this ip was refused by the administrator, 1 hour";
}

impl fmt::Display for Errcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (errcode {})", self.text(), self.0)
    }
}

impl std::error::Error for Errcode {}

impl ResponseError for Errcode {
    fn status_code(&self) -> StatusCode {
        StatusCode::OK
    }

    fn error_response(&self) -> HttpResponse {
        let errmsg = format!("{} rid: {}", self.text(), ids::request_id());
        HttpResponse::Ok().json(json!({ "errcode": self.0, "errmsg": errmsg }))
    }
}
