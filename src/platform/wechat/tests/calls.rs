//! What goes out, and what is made of what comes back.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use secrecy::ExposeSecret;
use serde_json::json;

use super::super::{
    PhoneNumber, Scene, Session, SetupError, SubscribeMessage, Suggest, Unreachable, Verdict, WeChat, WeChatError,
};
use super::{Reply, SECRET, Server, TOKEN_PATH, errcode};
use crate::platform::cache::MemoryCache;
use crate::platform::clock::Clock;

const SESSION: &str = "/sns/jscode2session";
const CHECK: &str = "/wxa/msg_sec_check";
const SEND: &str = "/cgi-bin/message/subscribe/send";
const CODE: &str = "/wxa/getwxacodeunlimit";

fn message(data: &[(&str, &str)]) -> SubscribeMessage {
    SubscribeMessage {
        openid: "o1".into(),
        template_id: "t1".into(),
        page: Some("/pages/need?id=1".into()),
        data: data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    }
}

#[actix_web::test]
async fn a_code_becomes_a_session_without_a_token() {
    let server = Server::start(|_| Reply::Json(json!({ "openid": "o1", "session_key": "KEY==", "unionid": "u1" })));
    let session = server.client().code_to_session("c&1").await.unwrap();
    assert!(!format!("{session:?}").contains("KEY"));
    let Session { openid, unionid, session_key } = session;
    assert_eq!((openid.as_str(), unionid.as_deref(), session_key.expose_secret()), ("o1", Some("u1"), "KEY=="));
    let hits = server.hits(SESSION);
    let query = &hits[0].query;
    assert_eq!((query["js_code"].as_str(), query["appid"].as_str()), ("c&1", "wx1"));
    assert_eq!((query["secret"].as_str(), query["grant_type"].as_str()), (SECRET, "authorization_code"));
    assert!(server.hits(TOKEN_PATH).is_empty());
}

#[actix_web::test]
async fn every_refusal_has_its_meaning() {
    type Is = fn(&WeChatError) -> bool;
    let cases: [(i64, Is, bool); 12] = [
        (40029, |e| matches!(e, WeChatError::InvalidCode), false),
        (40163, |e| matches!(e, WeChatError::InvalidCode), false),
        (40226, |e| matches!(e, WeChatError::HighRiskUser), false),
        (45011, |e| matches!(e, WeChatError::RateLimited { daily: false }), true),
        (44991, |e| matches!(e, WeChatError::RateLimited { daily: false }), true),
        (45009, |e| matches!(e, WeChatError::RateLimited { daily: true }), true),
        (61010, |e| matches!(e, WeChatError::UserInactive), false),
        (43101, |e| matches!(e, WeChatError::ConsentUsedUp), false),
        (43107, |e| matches!(e, WeChatError::Banned), false),
        (40037, |e| matches!(e, WeChatError::BadTemplate), false),
        (47003, |e| matches!(e, WeChatError::Rejected { errcode: 47003 }), false),
        (40003, |e| matches!(e, WeChatError::Rejected { errcode: 40003 }), false),
    ];
    for (code, is, transient) in cases {
        let server = Server::with_token(move |_| errcode(code));
        let error = server.client().send_subscribe_message(&message(&[])).await.unwrap_err();
        assert!(is(&error), "{code}: {error:?}");
        assert_eq!(error.is_transient(), transient, "{code}");
        assert_eq!(server.hits(SEND).len(), 1, "{code} is not worth another try");
    }
}

#[actix_web::test]
async fn a_busy_wechat_is_asked_three_times_at_most() {
    let later = Server::start(|hit| match hit.before {
        0 | 1 => errcode(-1),
        _ => Reply::Json(json!({ "openid": "o1", "session_key": "k", "errcode": 0 })),
    });
    assert_eq!(later.client().code_to_session("c").await.unwrap().openid, "o1");
    assert_eq!(later.hits(SESSION).len(), 3);

    let never = Server::with_token(|_| errcode(-1));
    let error = never.client().phone_number("c").await.unwrap_err();
    assert!(matches!(error, WeChatError::Busy) && error.is_transient(), "{error:?}");
    let hits = never.hits("/wxa/business/getuserphonenumber");
    assert_eq!(hits.len(), 3);
    assert!(hits.iter().all(|hit| hit.body["code"] == "c"), "the body is sent each time");
}

#[actix_web::test]
async fn what_is_no_answer_is_unreachable_and_tells_no_secret() {
    type Is = fn(&Unreachable) -> bool;
    let slow = Server::start(|_| Reply::After(Duration::from_secs(3), json!({})));
    let broken = Server::start(|_| Reply::Raw(StatusCode::BAD_GATEWAY, "text/html", b"<html>".to_vec()));
    let page = Server::start(|_| Reply::Raw(StatusCode::OK, "text/html", b"<html>".to_vec()));
    let part = Server::start(|_| Reply::Json(json!({ "openid": "o1" })));
    let mut settings = slow.settings();
    settings.timeout = Duration::from_millis(150);
    let mut nobody = slow.settings();
    nobody.base_url = "http://127.0.0.1:1".into();
    let cases: [(_, Is); 5] = [
        (settings, |why| matches!(why, Unreachable::TimedOut)),
        (nobody, |why| matches!(why, Unreachable::Connection(_))),
        (broken.settings(), |why| matches!(why, Unreachable::Status(502))),
        (page.settings(), |why| matches!(why, Unreachable::Unreadable(_))),
        (part.settings(), |why| matches!(why, Unreachable::Unreadable(_))),
    ];
    for (settings, is) in cases {
        let client = WeChat::new(settings, Arc::new(MemoryCache::default()), Clock::default()).unwrap();
        let error = client.code_to_session("the-code").await.unwrap_err();
        assert!(matches!(&error, WeChatError::Unreachable(why) if is(why)), "{error:?}");
        assert!(error.is_transient());
        let told = format!("{error} {error:?}");
        assert!(!told.contains(SECRET) && !told.contains("the-code"), "{told}");
    }
    assert_eq!(slow.hits(SESSION).len(), 1, "a code is not sent again after a timeout");
}

#[actix_web::test]
async fn wrong_settings_are_refused_at_once() {
    for wrong in ["", "api.weixin.qq.com", "ftp://api.weixin.qq.com", "http://a/?b"] {
        let server = Server::start(|_| errcode(0));
        let settings = super::Settings { base_url: wrong.into(), ..server.settings() };
        let client = WeChat::new(settings, Arc::new(MemoryCache::default()), Clock::default());
        assert!(matches!(client.err(), Some(SetupError::BaseUrl)), "{wrong}");
    }
    let server = Server::start(|_| errcode(0));
    let settings = super::Settings { mini_program_state: "released".into(), ..server.settings() };
    let client = WeChat::new(settings, Arc::new(MemoryCache::default()), Clock::default());
    assert!(matches!(client.err(), Some(SetupError::MiniProgramState)));
}

#[actix_web::test]
async fn a_phone_number_is_not_printed() {
    let server = Server::with_token(|_| {
        Reply::Json(json!({ "errcode": 0, "phone_info": {
            "phoneNumber": "+8613800000000", "purePhoneNumber": "13800000000", "countryCode": "86",
            "watermark": { "timestamp": 1, "appid": "wx1" } } }))
    });
    let phone = server.client().phone_number("c").await.unwrap();
    assert!(!format!("{phone:?}").contains("138"));
    let PhoneNumber { pure_number, country_code } = phone;
    assert_eq!((pure_number.as_str(), country_code.as_str()), ("13800000000", "86"));
}

#[actix_web::test]
async fn a_long_text_is_checked_in_pieces_and_the_worst_counts() {
    let server = Server::with_token(|hit| {
        let content = hit.body["content"].as_str().unwrap();
        let (suggest, label) = match content {
            content if content.chars().count() > 2_500 => return errcode(45002),
            content if content.contains("坏词") => ("risky", 20003),
            content if content.contains("看") => ("review", 20012),
            content if content.contains("新") => ("unheard-of", 1),
            _ => ("pass", 100),
        };
        Reply::Json(json!({ "errcode": 0, "result": { "suggest": suggest, "label": label }, "trace_id": "t" }))
    });
    let client = server.client();
    let check = async |text: &str| client.check_text("o1", text, Scene::Comment, Some("题")).await.unwrap();
    let calls = || server.hits(CHECK).len();

    assert_eq!(check(&"里".repeat(2_500)).await, Verdict::PASS);
    assert_eq!(calls(), 1);
    assert_eq!(check(&("里".repeat(2_500) + "看")).await, Verdict { suggest: Suggest::Review, label: 20012 });
    assert_eq!(calls(), 3);
    let body = &server.hits(CHECK)[1].body;
    assert_eq!((&body["version"], &body["scene"], &body["title"]), (&json!(2), &json!(2), &json!("题")));
    assert!(server.hits(CHECK)[2].body.get("title").is_none(), "the title is checked once");

    // Neither the cut nor an early review hides it, and what comes after it need not be asked.
    let text = format!("看{}坏词{}", "里".repeat(2_498), "里".repeat(5_000));
    assert_eq!(check(&text).await, Verdict { suggest: Suggest::Risky, label: 20003 });
    assert_eq!(calls(), 5);
    assert_eq!(check("新").await.suggest, Suggest::Review, "an unknown word waits for a person");

    let before = calls();
    assert_eq!(client.check_text("o1", " \n", Scene::Forum, None).await.unwrap(), Verdict::PASS);
    assert_eq!(calls(), before, "an empty text is not sent");
    assert_eq!(check("").await, Verdict::PASS);
    assert_eq!(server.hits(CHECK)[before].body["content"], "题", "a title alone is");
}

#[actix_web::test]
async fn a_picture_gets_a_trace_id() {
    let server = Server::with_token(|_| Reply::Json(json!({ "errcode": 0, "trace_id": "trace-1" })));
    assert_eq!(server.client().check_image("o1", "https://a/b.png?sig=1").await.unwrap(), "trace-1");
    let body = &server.hits("/wxa/media_check_async")[0].body;
    assert_eq!((&body["media_url"], &body["media_type"]), (&json!("https://a/b.png?sig=1"), &json!(2)));
}

#[actix_web::test]
async fn a_message_is_made_to_fit() {
    let server = Server::with_token(|_| Reply::Json(json!({ "errcode": 0, "msgid": 4_114_111_111_111_111_111_i64 })));
    let mut settings = server.settings();
    settings.mini_program_state = "trial".into();
    let client = WeChat::new(settings, Arc::new(MemoryCache::default()), Clock::default()).unwrap();
    let long = "一二三四五六七八九十一二三四五六七八九十一";
    client.send_subscribe_message(&message(&[("thing1", long), ("time2", "15:01")])).await.unwrap();
    assert_eq!(
        server.hits(SEND)[0].body,
        json!({
            "touser": "o1", "template_id": "t1", "page": "pages/need?id=1", "lang": "zh_CN",
            "miniprogram_state": "trial",
            "data": { "thing1": { "value": "一二三四五六七八九十一二三四五六七八九…" }, "time2": { "value": "15:01" } },
        })
    );
}

#[actix_web::test]
async fn a_concurrent_message_to_the_same_person_waits() {
    let server = Server::with_token(|hit| errcode(if hit.before == 0 { 43108 } else { 0 }));
    server.client().send_subscribe_message(&message(&[])).await.unwrap();
    assert_eq!(server.hits(SEND).len(), 2);
}

#[actix_web::test]
async fn a_code_is_a_picture_or_an_error() {
    let jpeg = vec![0xff, 0xd8, 0xff, 0xe0];
    let picture = jpeg.clone();
    let server = Server::with_token(move |hit| match hit.before {
        0 => Reply::Raw(StatusCode::OK, "image/jpeg", picture.clone()),
        1 => errcode(41030),
        2 => Reply::Json(json!({ "errcode": 0 })),
        _ => Reply::Raw(StatusCode::OK, "image/jpeg", Vec::new()),
    });
    let client = server.client();
    assert_eq!(client.unlimited_code("s=1", "/pages/scan", 100).await.unwrap(), jpeg);
    let expected = json!({
        "scene": "s=1", "page": "pages/scan", "check_path": true, "env_version": "release", "width": 280,
    });
    assert_eq!(server.hits(CODE)[0].body, expected);
    let error = client.unlimited_code("s", "p", 430).await.unwrap_err();
    assert!(matches!(error, WeChatError::Rejected { errcode: 41030 }));
    for _ in 0..2 {
        let error = client.unlimited_code("s", "p", 430).await.unwrap_err();
        assert!(matches!(error, WeChatError::Unreachable(Unreachable::Unreadable(_))), "{error:?}");
    }
}
