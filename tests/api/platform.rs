//! What holds for every route, and what stands beside them.

use std::time::Duration;

use futures_util::future::join_all;
use linli::platform::config::Config;
use linli::platform::http::Caller;
use linli::platform::ids;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use wechat_simulator::Fault;

use crate::support::{TestApp, user_id};

/// Every operation that needs no access token. Whoever adds one says here why.
const PUBLIC: &[&str] = &[
    // They give tokens.
    "post /api/v1/auth/wechat",
    "post /api/v1/auth/refresh",
    // WeChat's server signs what it sends.
    "get /api/v1/wechat/push",
    "post /api/v1/wechat/push",
    // A signed link stands for a token, which an <img> cannot send; without either it answers 401.
    "get /api/v1/files/{id}",
    // A phone's calendar sends no token: the link is the secret.
    "get /api/v1/calendar/{token}.ics",
    // Whoever is shown a certificate checks it; the code is on it.
    "get /api/v1/certificates/verify/{code}",
    // What stands at the gate anybody may read and check.
    "get /api/v1/public/notice-key",
    "get /api/v1/public/boards/{place_id}/days",
    "get /api/v1/public/boards/{place_id}/notices",
    "get /api/v1/public/notices/{id}",
    "get /api/v1/public/notices/{id}/page",
];

async fn document(app: &TestApp) -> Value {
    let answer = app.call(app.http.get(format!("{}/api/openapi.json", app.url)), "the document").await;
    answer.expect(200)
}

/// Method, path and description of every operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("operations");
        item.iter().map(|(method, operation)| (method.clone(), path.clone(), operation.clone()))
    });
    operations.collect()
}

/// The names between braces.
fn placeholders(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}

// A handler without `Actor` or `Caller` among its arguments fails here.
#[actix_web::test]
async fn every_route_has_a_policy() {
    TestApp::run(async |app| {
        let document = document(app).await;
        assert_eq!(document["security"], json!([{ "bearer": [] }]));
        for (method, path, operation) in operations(&document) {
            assert!(path.starts_with("/api/v1/"), "{path} is written in full");
            let public =
                operation.get("security").and_then(Value::as_array).is_some_and(|rules| rules.contains(&json!({})));
            let name = format!("{method} {path}");
            assert_eq!(public, PUBLIC.contains(&name.as_str()), "{name}");
            if public {
                continue;
            }
            let mut url = format!("{}{path}", app.url);
            for placeholder in placeholders(&path) {
                url = url.replace(&format!("{{{placeholder}}}"), &ids::unordered::<Uuid>().to_string());
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let body = if method == Method::GET {
                app.http.request(method, url)
            } else {
                app.http.request(method, url).json(&json!({}))
            };
            app.call(body, &name).await.refused(401, "unauthenticated");
        }
    })
    .await;
}

#[actix_web::test]
async fn every_operation_says_how_it_refuses_and_what_it_takes() {
    TestApp::run(async |app| {
        for (method, path, operation) in operations(&document(app).await) {
            let name = format!("{method} {path}");
            let refusal = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(refusal, "#/components/schemas/Problem", "{name}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name} has no summary");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let takes = |place: &str, wanted: &str| {
                parameters.iter().any(|parameter| parameter["in"] == place && parameter["name"] == wanted)
            };
            for placeholder in placeholders(&path) {
                assert!(takes("path", placeholder), "{name}: {placeholder}");
            }
            let keyed = method == "post" && !path.contains("/auth/");
            assert_eq!(takes("header", "Idempotency-Key"), keyed, "{name}");
        }
    })
    .await;
}

#[actix_web::test]
async fn what_stands_beside_the_api_answers() {
    TestApp::run(async |app| {
        let get = async |path: &str| app.call(app.http.get(format!("{}{path}", app.url)), path).await;
        assert_eq!(get("/health/live").await.expect(200)["status"], "ok");
        let ready = get("/health/ready").await.expect(200);
        assert_eq!(
            (&ready["status"], &ready["database"], &ready["cache"]["state"]),
            (&json!("ok"), &json!("ok"), &json!("ok"))
        );
        for (path, words) in [
            ("/metrics", "linli_http_requests_total"),
            ("/api/docs", "swagger-ui"),
            ("/api/docs/", "swagger-ui"),
            ("/api/errors", "id=already_answered"),
        ] {
            let page = get(path).await;
            assert!(page.status == 200 && String::from_utf8_lossy(&page.bytes).contains(words), "{path}");
        }
        get("/api/v1/nowhere").await.refused(404, "not_found");
        get("/nowhere").await.refused(404, "not_found");
        let wrong = app.call(app.http.delete(app.api("/me")), "no such method").await;
        assert!(wrong.status == 404 || wrong.status == 405, "{wrong:?}");
    })
    .await;
}

#[actix_web::test]
async fn an_unchanged_read_moves_no_body() {
    TestApp::run(async |app| {
        let resident = app.sign_in("resident-1").await;
        let first = resident.get("/me").await;
        let tag = first.headers["etag"].clone();
        assert_eq!(first.headers["cache-control"], "private, no-cache");
        let again = resident.send(resident.request(Method::GET, "/me").header("if-none-match", &tag)).await;
        assert_eq!((again.status, again.bytes.len(), &again.headers["etag"]), (304, 0, &tag));
        resident.put("/me", json!({ "nickname": "新名字" })).await.expect(200);
        let changed = resident.send(resident.request(Method::GET, "/me").header("if-none-match", &tag)).await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.headers["etag"], tag);
        let refused = resident.get("/places/not-an-id").await;
        assert!(refused.headers.get("etag").is_none());
    })
    .await;
}

#[actix_web::test]
async fn a_key_has_one_effect_and_one_answer() {
    TestApp::run(async |app| {
        let [resident, other] = [app.sign_in("resident-1").await, app.sign_in("resident-2").await];
        let consent = |template: &str| json!({ "template": template, "accepted": true });
        let path = "/me/message-consents";
        let first = resident.post_with_key(path, consent("need"), "key").await;
        assert!(first.headers.get("idempotency-replayed").is_none());
        let again = resident.post_with_key(path, consent("need"), "key").await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.expect(200), first.expect(200));
        // A refusal is an answer too, and stays one.
        let refused = resident.post_with_key("/inbox/not-an-id/read", json!({}), "refused").await;
        refused.refused(404, "not_found");
        // The same word is another person's own key.
        let of_other = other.post_with_key(path, consent("need"), "key").await;
        assert!(of_other.headers.get("idempotency-replayed").is_none());
        resident.post_with_key(path, consent("shift"), "key").await.refused(409, "idempotency_key_reused");
        resident.post_with_key(path, consent("shift"), &"k".repeat(129)).await.names("Idempotency-Key");
        // Without a key each request counts.
        for _ in 0..2 {
            let request = resident.request(Method::POST, path).json(&consent("points"));
            resident.send(request).await.expect(200);
        }
        let quotas = resident.get("/me").await.expect(200)["message_consents"].clone();
        let available = |template: &str| {
            let quota = quotas.as_array().unwrap().iter().find(|quota| quota["template"] == template).unwrap();
            quota["available"].clone()
        };
        assert_eq!((available("need"), available("shift"), available("points")), (json!(1), json!(0), json!(2)));
    })
    .await;
}

#[actix_web::test]
async fn whoever_calls_too_often_waits() {
    let limits = |config: &mut Config| {
        config.limits.exempt_loopback = false;
        config.limits.per_person_per_minute = 5;
    };
    TestApp::run_configured(limits, async |app| {
        let [resident, other] = [app.sign_in("resident-1").await, app.sign_in("resident-2").await];
        let answers = join_all((0..20).map(|_| resident.get("/me"))).await;
        let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        // One more may pass where the requests straddle the moment at which one is given back.
        assert!((5..=6).contains(&served.len()), "{}", served.len());
        for answer in refused {
            let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{wait}");
            answer.refused(429, "rate_limited");
        }
        other.get("/me").await.expect(200);
    })
    .await;
    let limits = |config: &mut Config| {
        config.limits.exempt_loopback = false;
        config.limits.per_address_per_minute = 5;
    };
    TestApp::run_configured(limits, async |app| {
        let live = || app.call(app.http.get(format!("{}/health/live", app.url)), "live");
        let refused = join_all((0..20).map(|_| live())).await.into_iter().filter(|answer| answer.status == 429).count();
        assert!((14..=15).contains(&refused), "{refused}");
        live().await.refused(429, "rate_limited");
    })
    .await;
}

#[actix_web::test]
async fn browsers_of_named_origins_may_call() {
    let origins = |config: &mut Config| {
        config.cors_origins = vec!["https://console.example.cn".to_owned()];
    };
    TestApp::run_configured(origins, async |app| {
        let ask = async |origin: &str| {
            let request = app.http.request(Method::OPTIONS, app.api("/surveys"));
            let request = request.header("origin", origin).header("access-control-request-method", "POST");
            app.call(request.header("access-control-request-headers", "authorization,idempotency-key"), "preflight")
                .await
        };
        let named = ask("https://console.example.cn").await;
        assert_eq!(named.status, 200);
        assert_eq!(named.headers["access-control-allow-origin"], "https://console.example.cn");
        let stranger = ask("https://evil.example").await;
        assert!(stranger.headers.get("access-control-allow-origin").is_none());
        let read = app.http.get(app.api("/me")).header("origin", "https://console.example.cn");
        let read = app.call(read, "read").await;
        assert_eq!(read.headers["access-control-allow-origin"], "https://console.example.cn");
        read.refused(401, "unauthenticated");
    })
    .await;
}

#[actix_web::test]
async fn without_redis_only_signing_in_stops() {
    // Nobody listens on this port.
    let redis = |config: &mut Config| config.redis_url = Some("redis://127.0.0.1:1/".to_owned());
    TestApp::run_configured(redis, async |app| {
        let code = app.simulator.control().login_code("resident-1").unwrap();
        let down = app.anonymous(Method::POST, "/auth/wechat", &json!({ "code": code })).await;
        assert!(down.headers.contains_key("retry-after"));
        down.refused(503, "session_store_unavailable");

        let caller = Caller { user_id: user_id("resident-1"), family: ids::unordered() };
        let token = caller.token(&app.state).unwrap();
        let me = app.call(app.http.get(app.api("/me")).bearer_auth(&token), "a read").await.expect(200);
        assert_eq!(me["residency"]["state"], "approved");
        let edit = app.http.put(app.api("/me")).bearer_auth(&token).json(&json!({ "nickname": "还能改" }));
        app.call(edit, "a write").await.expect(200);

        let ready = app.call(app.http.get(format!("{}/health/ready", app.url)), "ready").await.expect(200);
        assert_eq!(
            (&ready["status"], &ready["cache"]),
            (&json!("degraded"), &json!({ "kind": "redis", "state": "down" }))
        );
    })
    .await;
}

#[actix_web::test]
async fn a_refresh_without_redis_is_asked_to_come_again() {
    // The same keys, so that the token is a good one, and another cache.
    let token = std::cell::OnceCell::new();
    TestApp::run(async |app| {
        token.set(app.sign_in("resident-1").await.refresh_token).unwrap();
    })
    .await;
    let redis = |config: &mut Config| config.redis_url = Some("redis://127.0.0.1:1/".to_owned());
    TestApp::run_configured(redis, async |app| {
        let body = json!({ "refresh_token": token.get() });
        let down = app.anonymous(Method::POST, "/auth/refresh", &body).await;
        assert!(down.headers.contains_key("retry-after"));
        down.refused(503, "session_store_unavailable");
    })
    .await;
}

#[actix_web::test]
async fn a_call_has_an_id_and_an_end() {
    let limits = |config: &mut Config| config.limits.request_seconds = 1;
    TestApp::run_configured(limits, async |app| {
        let live = app.call(app.http.get(format!("{}/health/live", app.url)), "live").await;
        assert!(Uuid::parse_str(live.headers["x-request-id"].to_str().unwrap()).is_ok());
        // WeChat takes longer than a call may.
        app.simulator.control().fault(Fault::hang("/sns/jscode2session", Duration::from_secs(30)));
        let code = app.simulator.control().login_code("resident-1").unwrap();
        let started = app.state.clock.now();
        let late = app.anonymous(Method::POST, "/auth/wechat", &json!({ "code": code })).await;
        assert!(late.headers.contains_key("retry-after"));
        late.refused(503, "request_timeout");
        assert!((app.state.clock.now() - started).to_std().unwrap() < Duration::from_secs(3));
    })
    .await;
}
