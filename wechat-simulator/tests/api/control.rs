use serde_json::json;
use wechat_simulator::{ControlError, Settings, SharedClock};

use crate::support::{Rig, WANG, errcode};

async fn status_of(rig: &Rig, path: &str) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(rig.url(path)).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn codes_over_http() {
    let rig = Rig::start();
    let code = rig.get("/sim/login-code?persona=wang").await["code"].as_str().unwrap().to_owned();
    assert_eq!(rig.exchange(&code).await["openid"], WANG);
    let code = rig.get("/sim/phone-code?persona=wang").await["code"].clone();
    let phone = rig.call("/wxa/business/getuserphonenumber", json!({ "code": code })).await;
    assert_eq!(phone["phone_info"]["phoneNumber"], "13800000001");
    assert!(rig.get("/sim/login-code?persona=nobody").await["error"].is_string());
    assert_eq!(status_of(&rig, "/sim/login-code?persona=nobody").await, 404);
    assert_eq!(status_of(&rig, "/sim/login-code").await, 400);
    assert_eq!(rig.control().login_code("nobody"), Err(ControlError::UnknownPersona("nobody".into())));
}

#[tokio::test]
async fn people_can_come_later() {
    let rig = Rig::start();
    let new = rig.post("/sim/personas", json!({ "name": "sun", "label": "孙奶奶" })).await;
    assert_eq!(new["openid"].as_str().map(str::len), Some(28));
    assert_eq!(rig.log_in("sun").await["openid"], new["openid"]);
    let twice = rig.try_post("/sim/personas", &json!({ "name": "sun" })).await.unwrap();
    assert_eq!(twice.status(), 409);
    assert_eq!(rig.get("/sim/personas").await.as_array().map(Vec::len), Some(5));
    assert_eq!(rig.get("/sim/messages?persona=sun").await, json!([]));
}

#[tokio::test]
async fn the_clock_is_shared() {
    let clock = SharedClock::new();
    let rig = Rig::with(|settings| Settings { clock: clock.clone(), ..settings });
    let before = clock.now();
    let moved = rig.post("/sim/clock", json!({ "advance_seconds": 86_400 })).await;
    assert!(clock.now() - before >= chrono::TimeDelta::days(1));
    let shown: chrono::DateTime<chrono::Utc> = moved["now"].as_str().unwrap().parse().unwrap();
    assert!((clock.now() - shown).num_seconds() < 60);
    let back = rig.try_post("/sim/clock", &json!({ "advance_seconds": -1 })).await.unwrap();
    assert_eq!(back.status(), 400);
}

#[tokio::test]
async fn simulators_do_not_know_each_other() {
    let (one, two) = (Rig::start(), Rig::start());
    let code = one.control().login_code("wang").unwrap();
    assert_eq!(errcode(&two.exchange(&code).await), 40029);
    one.advance(10_000);
    assert!(one.control().clock().now() - two.control().clock().now() > chrono::TimeDelta::seconds(9_000));
}

#[tokio::test]
async fn a_stopped_simulator_answers_nothing() {
    let rig = Rig::start();
    assert_eq!(errcode(&rig.stable(false).await), 0);
    let url = rig.url("/sim/clock");
    rig.simulator.stop().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(client.get(url).send().await.is_err_and(|error| error.is_connect()));
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let rig = Rig::start();
    let page = reqwest::Client::builder().no_proxy().build().unwrap().get(rig.url("/")).send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let html = page.text().await.unwrap();
    assert!(html.contains("获取登录码") && !html.contains("innerHTML"));
    assert!(!html.contains("src=\"http") && !html.contains("href=\"http"));
    let overview = rig.get("/sim/overview").await;
    assert_eq!(overview["phones"][0]["persona"]["name"], "wang");
}
