//! The rules of `token.rs`; each test names what it guards against.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures_util::future::{join_all, try_join_all};
use serde_json::{Value, json};

use super::super::WeChatError;
use super::{Hit, Reply, SECRET, Server, TOKEN_PATH, errcode, token};
use crate::platform::cache::{Cache, CacheError, MemoryCache, SharedCache};
use crate::platform::clock::Clock;

const CALL: &str = "/wxa/media_check_async";

/// WeChat's side: one token at a time; a call with another one is refused.
#[derive(Default)]
struct Issuer(Mutex<Line>);

#[derive(Default)]
struct Line {
    number: u32,
    /// Given out although no call takes it.
    refused: HashSet<u32>,
}

impl Issuer {
    /// The present token no longer works; with `follow`, WeChat knows and gives the next one.
    fn expire(&self, follow: bool) {
        let mut line = self.0.lock().unwrap();
        let number = line.number;
        line.refused.insert(number);
        line.number += u32::from(follow);
    }

    fn answer(&self, hit: &Hit) -> Reply {
        let mut line = self.0.lock().unwrap();
        let present = format!("T{}", line.number);
        if hit.path != TOKEN_PATH {
            let works = hit.token() == present && !line.refused.contains(&line.number);
            return if works { Reply::Json(json!({ "errcode": 0, "trace_id": "t" })) } else { errcode(40001) };
        }
        if hit.body["force_refresh"] == json!(true) {
            line.number += 1;
        }
        // Slow enough that callers meet.
        let issued = json!({ "access_token": format!("T{}", line.number), "expires_in": 7200 });
        Reply::After(Duration::from_millis(50), issued)
    }
}

fn scene() -> (Server, Arc<Issuer>) {
    let issuer = Arc::<Issuer>::default();
    let script = Arc::clone(&issuer);
    (Server::start(move |hit| script.answer(hit)), issuer)
}

fn memory() -> SharedCache {
    Arc::new(MemoryCache::default())
}

fn forced(server: &Server) -> usize {
    server.hits(TOKEN_PATH).iter().filter(|hit| hit.body["force_refresh"] == json!(true)).count()
}

#[actix_web::test]
async fn one_token_serves_every_call_and_every_process_until_it_is_nearly_over() {
    let (server, _) = scene();
    let (cache, clock) = (memory(), Clock::default());
    let one = server.client_with(Arc::clone(&cache), clock.clone());
    let two = server.client_with(cache, clock.clone());
    for _ in 0..3 {
        one.check_image("o", "u").await.unwrap();
        two.check_image("o", "u").await.unwrap();
    }
    let asked = server.hits(TOKEN_PATH);
    assert_eq!(asked.len(), 1);
    assert_eq!((&asked[0].body["appid"], &asked[0].body["secret"]), (&json!("wx1"), &json!(SECRET)));
    assert_eq!(asked[0].body["grant_type"], "client_credential");

    clock.advance(TimeDelta::minutes(114));
    one.check_image("o", "u").await.unwrap();
    assert_eq!(server.hits(TOKEN_PATH).len(), 1);
    clock.advance(TimeDelta::minutes(2));
    one.check_image("o", "u").await.unwrap();
    two.check_image("o", "u").await.unwrap();
    assert_eq!(server.hits(TOKEN_PATH).len(), 2, "renewed early, and once for both");
}

/// Guard: looking again after each of the two locks.
#[actix_web::test]
async fn many_calls_with_an_expired_token_fetch_one() {
    let (server, _) = scene();
    let (cache, clock) = (memory(), Clock::default());
    let clients: Vec<_> = (0..4).map(|_| server.client_with(Arc::clone(&cache), clock.clone())).collect();
    for round in 1..=2 {
        let calls = (0..20).map(|n| clients[n % 4].check_image("o", "u"));
        try_join_all(calls).await.unwrap();
        assert_eq!(server.hits(TOKEN_PATH).len(), round);
        clock.advance(TimeDelta::hours(2));
    }
}

/// Guard: while one renews early the others do not wait.
#[actix_web::test]
async fn an_early_renewal_that_fails_or_is_slow_stops_nobody() {
    let server = Server::start(|hit| match (hit.path.as_str(), hit.before) {
        (TOKEN_PATH, 0) => token("T"),
        (TOKEN_PATH, 1) => Reply::After(Duration::from_secs(2), json!({ "errcode": 40164 })),
        (TOKEN_PATH, _) => errcode(40164),
        _ => Reply::Json(json!({ "trace_id": "t" })),
    });
    let clock = Clock::default();
    let client = server.client_with(memory(), clock.clone());
    client.check_image("o", "u").await.unwrap();
    clock.advance(TimeDelta::minutes(116));
    let slow = client.check_image("o", "u");
    let others = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let others = join_all((0..10).map(|_| client.check_image("o", "u")));
        tokio::time::timeout(Duration::from_secs(1), others).await.expect("nobody waits")
    };
    let (slow, others) = tokio::join!(slow, others);
    assert!(slow.is_ok() && others.iter().all(Result::is_ok));
    clock.advance(TimeDelta::minutes(5));
    let error = client.check_image("o", "u").await.unwrap_err();
    assert!(matches!(error, WeChatError::TokenRefused { errcode: 40164 }) && error.is_transient(), "{error:?}");
}

/// Guard: the shortest time before a renewal, without which a token given late is renewed at every call.
#[actix_web::test]
async fn a_token_with_little_time_left_is_not_renewed_at_every_call() {
    let server = Server::start(|hit| match hit.path.as_str() {
        TOKEN_PATH => Reply::Json(json!({ "access_token": "T", "expires_in": 200 })),
        _ => Reply::Json(json!({ "trace_id": "t" })),
    });
    let client = server.client();
    for _ in 0..5 {
        client.check_image("o", "u").await.unwrap();
    }
    assert_eq!(server.hits(TOKEN_PATH).len(), 1);
}

#[actix_web::test]
async fn a_token_that_fails_on_the_way_is_replaced_once_for_all() {
    for code in [40001, 40014, 42001] {
        let server = Server::start(move |hit| match (hit.path.as_str(), hit.token()) {
            (TOKEN_PATH, _) => token(&format!("T{}", hit.before)),
            (_, "T0") => errcode(code),
            _ => Reply::Json(json!({ "trace_id": "t" })),
        });
        let client = server.client();
        try_join_all((0..20).map(|_| client.check_image("o", "u"))).await.unwrap();
        let calls = server.hits(CALL);
        let later: Vec<_> = calls.iter().filter(|hit| hit.token() == "T1").collect();
        assert_eq!(later.len(), 20);
        assert!(later.iter().all(|hit| hit.body["media_url"] == "u"), "the body is sent again");
        assert_eq!(server.hits(TOKEN_PATH).len(), 2, "{code}");
        assert_eq!(forced(&server), 0);
    }
}

/// Guards: only the token that failed is discarded; a process that is behind takes the newer one from the cache.
#[actix_web::test]
async fn a_process_that_is_behind_does_not_discard_the_newer_token() {
    let (server, issuer) = scene();
    let cache = memory();
    let ahead = server.client_with(Arc::clone(&cache), Clock::default());
    let behind = server.client_with(Arc::clone(&cache), Clock::default());
    try_join_all([&ahead, &behind].map(|client| client.check_image("o", "u"))).await.unwrap();
    issuer.expire(true);
    ahead.check_image("o", "u").await.unwrap();
    let stored = cache.get("wechat:wx1:token").await.unwrap();
    behind.check_image("o", "u").await.unwrap();
    assert_eq!(cache.get("wechat:wx1:token").await.unwrap(), stored);
    assert_eq!((server.hits(TOKEN_PATH).len(), forced(&server)), (2, 0));
}

#[actix_web::test]
async fn a_call_is_sent_twice_at_most() {
    let server = Server::start(|hit| match hit.path.as_str() {
        TOKEN_PATH => token(&format!("T{}", hit.before)),
        _ => errcode(42001),
    });
    let error = server.client().check_image("o", "u").await.unwrap_err();
    assert!(matches!(error, WeChatError::TokenInvalid { errcode: 42001 }) && error.is_transient(), "{error:?}");
    assert_eq!((server.hits(CALL).len(), server.hits(TOKEN_PATH).len()), (2, 2));
}

/// Guard: the limiter, by which all processes together force one token within half a minute.
#[actix_web::test]
async fn a_failed_token_that_comes_back_is_forced_once_by_all_processes() {
    let (server, issuer) = scene();
    let (cache, clock) = (memory(), Clock::default());
    let clients: Vec<_> = (0..4).map(|_| server.client_with(Arc::clone(&cache), clock.clone())).collect();
    try_join_all(clients.iter().map(|client| client.check_image("o", "u"))).await.unwrap();
    issuer.expire(false);
    try_join_all((0..20).map(|n| clients[n % 4].check_image("o", "u"))).await.unwrap();
    assert_eq!(forced(&server), 1);

    issuer.expire(false);
    for client in &clients {
        let error = client.check_image("o", "u").await.unwrap_err();
        assert!(matches!(error, WeChatError::TokenUnavailable) && error.is_transient(), "{error:?}");
    }
    assert_eq!(forced(&server), 1, "not within 30 seconds");
}

/// Guard: the count of the day. The 30 seconds are taken away from it.
#[actix_web::test]
async fn no_more_than_twenty_are_forced_in_a_day() {
    let (server, issuer) = scene();
    let (cache, clock) = (memory(), Clock::default());
    let client = server.client_with(Arc::clone(&cache), clock.clone());
    client.check_image("o", "u").await.unwrap();
    for forced_so_far in 1..=21 {
        issuer.expire(false);
        let called = client.check_image("o", "u").await;
        assert_eq!(called.is_ok(), forced_so_far <= 20, "{forced_so_far}");
        cache.delete("wechat:wx1:forced").await.unwrap();
    }
    assert_eq!(forced(&server), 20);
    clock.advance(TimeDelta::days(1));
    client.check_image("o", "u").await.unwrap();
    assert_eq!(forced(&server), 21, "the next day has its own");
}

/// Guard: that waiting for the lock ends.
#[actix_web::test]
async fn a_lock_that_somebody_else_left_behind_is_waited_for_and_stays_theirs() {
    let (server, _) = scene();
    let cache = memory();
    cache.set("wechat:wx1:lock", "somebody", Duration::from_mins(1)).await.unwrap();
    let client = server.client_with(Arc::clone(&cache), Clock::default());
    tokio::time::timeout(Duration::from_secs(6), client.check_image("o", "u")).await.expect("in time").unwrap();
    assert_eq!(cache.get("wechat:wx1:lock").await.unwrap().as_deref(), Some("somebody"));
}

/// Guard: releasing by comparing. Our lock ran out while WeChat was thinking, and somebody else took it.
#[actix_web::test]
async fn a_lock_that_somebody_took_over_is_not_released() {
    let (server, _) = scene();
    let cache = memory();
    let client = server.client_with(Arc::clone(&cache), Clock::default());
    let takeover = async {
        tokio::time::sleep(Duration::from_millis(25)).await;
        assert!(cache.get("wechat:wx1:lock").await.unwrap().is_some());
        cache.set("wechat:wx1:lock", "somebody", Duration::from_mins(1)).await.unwrap();
    };
    let (called, ()) = tokio::join!(client.check_image("o", "u"), takeover);
    called.unwrap();
    assert_eq!(cache.get("wechat:wx1:lock").await.unwrap().as_deref(), Some("somebody"));
}

/// Guard: renewing in a task of its own.
#[actix_web::test]
async fn a_caller_who_hangs_up_leaves_no_lock() {
    let (server, _) = scene();
    let cache = memory();
    let client = server.client_with(Arc::clone(&cache), Clock::default());
    let call = client.check_image("o", "u");
    assert!(tokio::time::timeout(Duration::from_millis(25), call).await.is_err(), "hung up while WeChat thinks");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(cache.get("wechat:wx1:lock").await.unwrap(), None);
    client.check_image("o", "u").await.unwrap();
    assert_eq!(server.hits(TOKEN_PATH).len(), 1);
}

#[actix_web::test]
async fn what_the_cache_holds_by_mistake_is_replaced() {
    let (server, _) = scene();
    let cache = memory();
    cache.set("wechat:wx1:token", "rubbish", Duration::from_mins(1)).await.unwrap();
    server.client_with(Arc::clone(&cache), Clock::default()).check_image("o", "u").await.unwrap();
    let stored: Value = serde_json::from_str(&cache.get("wechat:wx1:token").await.unwrap().unwrap()).unwrap();
    assert_eq!(stored["token"], "T0");
}

/// A cache that nobody reaches.
struct Down;

impl Down {
    fn error<T>() -> Result<T, CacheError> {
        Err(CacheError::from(redis::RedisError::from((redis::ErrorKind::Io, "down"))))
    }
}

#[async_trait]
impl Cache for Down {
    async fn get(&self, _: &str) -> Result<Option<String>, CacheError> {
        Self::error()
    }
    async fn set(&self, _: &str, _: &str, _: Duration) -> Result<(), CacheError> {
        Self::error()
    }
    async fn set_if_absent(&self, _: &str, _: &str, _: Duration) -> Result<bool, CacheError> {
        Self::error()
    }
    async fn compare_and_set(&self, _: &str, _: &str, _: &str, _: Duration) -> Result<bool, CacheError> {
        Self::error()
    }
    async fn compare_and_delete(&self, _: &str, _: &str) -> Result<bool, CacheError> {
        Self::error()
    }
    async fn delete(&self, _: &str) -> Result<(), CacheError> {
        Self::error()
    }
    async fn increment(&self, _: &str, _: Duration) -> Result<i64, CacheError> {
        Self::error()
    }
    async fn ping(&self) -> Result<(), CacheError> {
        Self::error()
    }
    fn name(&self) -> &'static str {
        "down"
    }
}

#[actix_web::test]
async fn without_the_cache_each_process_keeps_its_own_token_by_the_same_rules() {
    let (server, issuer) = scene();
    let client = server.client_with(Arc::new(Down), Clock::default());
    try_join_all((0..20).map(|_| client.check_image("o", "u"))).await.unwrap();
    assert_eq!(server.hits(TOKEN_PATH).len(), 1);
    issuer.expire(true);
    try_join_all((0..20).map(|_| client.check_image("o", "u"))).await.unwrap();
    assert_eq!((server.hits(TOKEN_PATH).len(), forced(&server)), (2, 0));
    issuer.expire(false);
    try_join_all((0..20).map(|_| client.check_image("o", "u"))).await.unwrap();
    assert_eq!(forced(&server), 1);
    issuer.expire(false);
    client.check_image("o", "u").await.unwrap_err();
    assert_eq!(forced(&server), 1, "the limiter counts here too");
}
