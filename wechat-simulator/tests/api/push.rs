use std::time::Instant;

use serde_json::{Map, Value, json};
use wechat_simulator::{ControlError, Event, ListShape, PushMode};

use crate::support::{Backend, HttpAnswer, Rig, WANG, errcode};

#[tokio::test]
async fn both_modes_are_signed_and_the_secure_one_is_sealed() {
    let (rig, backend) = (Rig::start(), Backend::start());
    for mode in [PushMode::Plain, PushMode::Secure] {
        rig.simulator.set_push(Some(backend.push(mode)));
        rig.control().verify_push().await.unwrap();
        let event = Event::new("wang", "user_authorization_revoke").field("RevokeInfo", json!("1"));
        let delivery = rig.control().send_event(event).await.unwrap();
        assert!(delivery.delivered && delivery.attempts == 1, "{delivery:?}");
    }
    let received = backend.received();
    assert!(received[0].body.get("Encrypt").is_none() && !received[0].query.contains_key("msg_signature"));
    assert!(received[1].body.get("Event").is_none(), "nothing is said in clear");
    for event in backend.events() {
        assert_eq!((&event["MsgType"], &event["FromUserName"]), (&json!("event"), &json!(WANG)));
        assert_eq!((&event["Event"], &event["RevokeInfo"]), (&json!("user_authorization_revoke"), &json!("1")));
    }
}

#[tokio::test]
async fn a_push_is_repeated_until_it_is_taken() {
    let (rig, backend) = (Rig::start(), Backend::start());
    rig.simulator.set_push(Some(backend.push(PushMode::Secure)));
    backend.answer_next(&[HttpAnswer::Refuse, HttpAnswer::Sleep, HttpAnswer::Mumble]);
    let begin = Instant::now();
    let delivery = rig.control().send_event(Event::new("wang", "user_info_modified")).await.unwrap();
    assert_eq!((delivery.delivered, delivery.attempts), (true, 4));
    assert!(begin.elapsed().as_millis() >= 450, "each attempt waits for the one before");
    let events = backend.events();
    assert!(events.iter().all(|event| *event == events[0]), "a repetition is the same event");
    assert_ne!(backend.received()[0].query["nonce"], backend.received()[1].query["nonce"]);
}

#[tokio::test]
async fn a_push_is_given_up_after_three_repetitions() {
    let (rig, backend) = (Rig::start(), Backend::start());
    rig.simulator.set_push(Some(backend.push(PushMode::Plain)));
    backend.answer_next(&[HttpAnswer::Refuse; 5]);
    let delivery = rig.control().send_event(Event::new("wang", "user_info_modified")).await.unwrap();
    assert_eq!((delivery.delivered, delivery.attempts), (false, 4));
    assert_eq!(backend.received().len(), 4);
    assert_eq!(rig.control().deliveries(), [delivery]);
}

#[tokio::test]
async fn a_list_comes_in_every_shape() {
    let (rig, backend) = (Rig::start(), Backend::start());
    rig.simulator.set_push(Some(backend.push(PushMode::Secure)));
    let one = Event::popup("wang", "t", "accept");
    let two = one.clone().entry(json!({ "TemplateId": "u", "SubscribeStatusString": "reject" }));
    for event in [one.clone(), two, one.clone().shape(ListShape::Array), one.shape(ListShape::Nested)] {
        rig.control().send_event(event).await.unwrap();
    }
    let events = backend.events();
    assert!(events[0]["List"].is_object());
    assert_eq!(events[1]["List"].as_array().map(Vec::len), Some(2));
    assert_eq!(events[2]["List"].as_array().map(Vec::len), Some(1));
    assert_eq!(events[3]["SubscribeMsgPopupEvent"]["List"][0]["TemplateId"], "t");
    assert!(events[3]["CreateTime"].is_string());
}

#[tokio::test]
async fn events_can_be_sent_and_doubled_over_http() {
    let (rig, backend) = (Rig::start(), Backend::start());
    let event = json!({ "persona": "wang", "event": "user_authorization_cancellation", "copies": 2 });
    assert!(rig.post("/sim/events", event.clone()).await["error"].is_string(), "there is no push yet");
    let set = reqwest::Client::builder().no_proxy().build().unwrap();
    let push = json!(backend.push(PushMode::Plain));
    assert!(set.put(rig.url("/sim/push")).json(&push).send().await.unwrap().status().is_success());
    assert_eq!(rig.post("/sim/push/verify", Value::Object(Map::new())).await, json!({ "verified": true }));
    let answer = rig.post("/sim/events", event).await;
    assert_eq!(answer["deliveries"].as_array().map(Vec::len), Some(2));
    assert_eq!(backend.events()[0], backend.events()[1]);
    assert_eq!(errcode(&rig.stable(false).await), 0);
}

#[tokio::test]
async fn an_endpoint_that_does_not_echo_fails_the_check() {
    let (rig, backend) = (Rig::start(), Backend::start());
    assert_eq!(rig.control().verify_push().await, Err(ControlError::NoPush));
    let mut push = backend.push(PushMode::Plain);
    push.url = backend.url("/photo.jpg");
    rig.simulator.set_push(Some(push));
    assert!(matches!(rig.control().verify_push().await, Err(ControlError::PushCheck(_))));
}
