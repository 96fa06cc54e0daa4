use std::time::{Duration, Instant};

use serde_json::json;
use wechat_simulator::Fault;

use crate::support::{Rig, errcode};

const PHONE: &str = "/wxa/business/getuserphonenumber";

#[tokio::test]
async fn an_errcode_for_so_many_calls() {
    let rig = Rig::start();
    rig.post("/sim/faults", json!({ "path": "/cgi-bin/stable_token", "errcode": -1, "times": 2 })).await;
    assert_eq!(errcode(&rig.stable(false).await), -1);
    assert_eq!(errcode(&rig.stable(false).await), -1);
    assert_eq!(errcode(&rig.stable(false).await), 0);
    assert_eq!(rig.control().call_count("/cgi-bin/stable_token"), 3);
    assert_eq!(rig.get("/sim/calls").await, json!({ "/cgi-bin/stable_token": 3 }));
}

#[tokio::test]
async fn statuses_and_dropped_connections() {
    let rig = Rig::start();
    rig.control().fault(Fault::status(PHONE, actix_web::http::StatusCode::BAD_GATEWAY).times(1));
    assert_eq!(rig.try_post(PHONE, &json!({})).await.unwrap().status(), 502);
    rig.control().fault(Fault::drop_connection("*"));
    assert!(rig.try_post(PHONE, &json!({})).await.is_err_and(|error| !error.is_status() && !error.is_timeout()));
    assert!(rig.try_post(PHONE, &json!({})).await.is_err());
    rig.control().clear_faults();
    assert_eq!(errcode(&rig.post(PHONE, json!({})).await), 41001);
}

#[tokio::test]
async fn late_answers_and_none() {
    let rig = Rig::start();
    rig.control().fault(Fault::latency(PHONE, Duration::from_millis(120)).times(1));
    let begin = Instant::now();
    assert_eq!(errcode(&rig.post(PHONE, json!({})).await), 41001);
    assert!(begin.elapsed() >= Duration::from_millis(120));
    rig.control().fault(Fault::hang(PHONE, Duration::from_millis(120)).times(1));
    let begin = Instant::now();
    assert!(rig.try_post(PHONE, &json!({})).await.is_err());
    assert!(begin.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn the_control_calls_know_no_faults() {
    let rig = Rig::start();
    rig.control().fault(Fault::drop_connection("*"));
    assert!(rig.get("/sim/clock").await["now"].is_string());
    assert_eq!(rig.get("/sim/calls").await, json!({}));
}
