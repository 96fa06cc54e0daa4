use std::time::Duration;

use serde_json::{Value, json};
use wechat_simulator::{PushMode, Suggest, TextRule, Verdict};

use crate::support::{Backend, Rig, WANG, errcode};

const TEXT: &str = "/wxa/msg_sec_check";
const MEDIA: &str = "/wxa/media_check_async";

fn text(content: &str) -> Value {
    json!({ "content": content, "version": 2, "scene": 3, "openid": WANG })
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

#[tokio::test]
async fn texts_get_their_scripted_verdict() {
    let rig = Rig::start();
    rig.log_in("wang").await;
    let verdict = async |content: &str| {
        let answer = rig.call(TEXT, text(content)).await;
        assert_eq!(errcode(&answer), 0, "risky text is no error");
        assert!(answer["trace_id"].is_string() && answer["detail"][0]["strategy"] == "content_model");
        (answer["result"]["suggest"].as_str().unwrap().to_owned(), answer["result"]["label"].as_i64().unwrap())
    };
    assert_eq!(verdict("修一下三号楼的灯").await, ("pass".to_owned(), 100));
    assert_eq!(verdict("这是违规内容").await, ("risky".to_owned(), 20006));
    assert_eq!(verdict("疑似内容").await, ("review".to_owned(), 20001));
    rig.post("/sim/verdicts", json!({ "contains": "灯", "suggest": "risky", "label": 10001 })).await;
    assert_eq!(verdict("修一下三号楼的灯").await, ("risky".to_owned(), 10001));
    let verdict_of_rule = Verdict { suggest: Suggest::Pass, label: 100 };
    rig.control().script_text(TextRule { contains: "违规停车".into(), verdict: verdict_of_rule });
    assert_eq!(verdict("违规停车").await, ("pass".to_owned(), 100), "the newest rule wins");
    let titled = rig.call(TEXT, with(text("好"), "title", json!("违规"))).await;
    assert_eq!(titled["result"]["suggest"], "risky");
    assert_eq!(titled["detail"][1]["keyword"], "违规");
}

#[tokio::test]
async fn texts_are_checked_for_people_who_were_here_in_the_last_two_hours() {
    let rig = Rig::start();
    assert_eq!(errcode(&rig.call(TEXT, text("好")).await), 61010);
    rig.log_in("wang").await;
    rig.advance(7_190);
    assert_eq!(errcode(&rig.call(TEXT, text("好")).await), 0);
    rig.advance(20);
    assert_eq!(errcode(&rig.call(TEXT, text("好")).await), 61010);
    let lenient = Rig::with(|settings| wechat_simulator::Settings { active_window: None, ..settings });
    assert_eq!(errcode(&lenient.call(TEXT, text("好")).await), 0);
}

#[tokio::test]
async fn texts_must_be_well_formed() {
    let rig = Rig::start();
    rig.log_in("wang").await;
    for (body, expected) in [
        (text(""), 44002),
        (text(&"里".repeat(2_500)), 0),
        (text(&"里".repeat(2_501)), 45002),
        (with(text("好"), "scene", json!(5)), 40129),
        (with(text("好"), "scene", json!("3")), 47001),
        (with(text("好"), "version", json!(1)), 40097),
        (with(text("好"), "openid", json!("nobody")), 40003),
        (with(text("好"), "openid", json!("oAnotherAppsPerson__________")), 43104),
        (with(text("好"), "signature", json!("good day")), 40097),
    ] {
        assert_eq!(errcode(&rig.call(TEXT, body.clone()).await), expected, "{body}");
    }
}

fn media(url: &str) -> Value {
    json!({ "media_url": url, "media_type": 2, "version": 2, "scene": 3, "openid": WANG })
}

#[tokio::test]
async fn pictures_are_fetched_and_their_verdict_is_pushed() {
    let (rig, backend) = (Rig::start(), Backend::start());
    rig.simulator.set_push(Some(backend.push(PushMode::Secure)));
    rig.log_in("wang").await;
    rig.control().script_next_media(Suggest::Risky);
    rig.post("/sim/media-verdicts", json!({ "url_contains": "v=review", "suggest": "review" })).await;
    let mut traces = Vec::new();
    for query in ["?v=1", "?v=review", "?v=3"] {
        let answer = rig.call(MEDIA, media(&backend.url(&format!("/photo.jpg{query}")))).await;
        traces.push(answer["trace_id"].clone());
        rig.control().settled().await;
    }
    let events = backend.events();
    let verdicts: Vec<_> = events.iter().map(|event| event["result"]["suggest"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["risky", "review", "pass"]);
    assert_eq!(events.iter().map(|event| event["trace_id"].clone()).collect::<Vec<_>>(), traces);
    assert_eq!((&events[0]["Event"], &events[0]["errcode"]), (&json!("wxa_media_check"), &json!(0)));
}

#[tokio::test]
async fn a_picture_that_cannot_be_fetched_is_said_to_be_so() {
    let (rig, backend) = (Rig::start(), Backend::start());
    rig.simulator.set_push(Some(backend.push(PushMode::Plain)));
    rig.log_in("wang").await;
    assert_eq!(errcode(&rig.call(MEDIA, media(&backend.url("/nothing-here.jpg"))).await), 0);
    rig.control().settled().await;
    assert_eq!(backend.events()[0]["errcode"], -1008);
    assert!(backend.events()[0].get("result").is_none());
}

#[tokio::test]
async fn media_must_be_well_formed_and_not_under_way() {
    let (rig, backend) = (Rig::start(), Backend::start());
    rig.log_in("wang").await;
    let photo = backend.url("/photo.jpg");
    for (body, expected) in [
        (with(media(&photo), "media_type", json!(3)), 40004),
        (with(media(&photo), "scene", json!(0)), 40129),
        (media("photo.jpg"), 40066),
        (media("file:///etc/passwd"), 40066),
    ] {
        assert_eq!(errcode(&rig.call(MEDIA, body.clone()).await), expected, "{body}");
    }
    rig.control().set_media_delay(Duration::from_millis(300));
    assert_eq!(errcode(&rig.call(MEDIA, media(&photo)).await), 0);
    assert_eq!(errcode(&rig.call(MEDIA, media(&photo)).await), 87020);
    rig.control().settled().await;
    assert_eq!(errcode(&rig.call(MEDIA, media(&photo)).await), 0);
    rig.control().settled().await;
    assert!(backend.received().is_empty(), "no push is set, nothing is pushed");
}
