use serde_json::{Value, json};
use wechat_simulator::{Answer, PushMode, Settings, Suggest, Template};

use crate::support::{Backend, Rig, WANG, errcode};

const SEND: &str = "/cgi-bin/message/subscribe/send";
const TEMPLATE: &str = "template-1";

fn rig() -> Rig {
    Rig::with(|settings| Settings { templates: templates(), ..settings })
}

fn templates() -> Vec<Template> {
    let fields = vec!["thing1".into(), "time2".into()];
    vec![Template { id: TEMPLATE.into(), title: "诉求进度通知".into(), fields }]
}

fn message(thing: &str, time: &str) -> Value {
    json!({
        "touser": WANG, "template_id": TEMPLATE, "page": "pages/index", "miniprogram_state": "formal", "lang": "zh_CN",
        "data": { "thing1": { "value": thing }, "time2": { "value": time } },
    })
}

fn good() -> Value {
    message("三号楼的灯修好了", "2026年7月30日 09:30")
}

#[tokio::test]
async fn one_accept_is_one_message() {
    let rig = rig();
    assert_eq!(errcode(&rig.call(SEND, good()).await), 43101);
    rig.control().accept_consent("wang", TEMPLATE, 2).unwrap();
    let sent = rig.call(SEND, good()).await;
    assert!(sent["msgid"].as_u64().is_some_and(|id| id > 1 << 53), "{sent}");
    assert_eq!(errcode(&rig.call(SEND, good()).await), 0);
    assert_eq!(errcode(&rig.call(SEND, good()).await), 43101);
    let messages = rig.control().sent_messages("wang");
    assert_eq!(messages.len(), 2);
    assert_eq!(Some(messages[0].msgid), sent["msgid"].as_u64());
    assert_eq!(
        (messages[0].title.as_str(), messages[0].fields[0].value.as_str()),
        ("诉求进度通知", "三号楼的灯修好了")
    );
    assert!(rig.control().sent_messages("li").is_empty());
}

#[tokio::test]
async fn concurrent_sends_share_one_quota() {
    let rig = rig();
    rig.control().accept_consent("wang", TEMPLATE, 5).unwrap();
    let path = format!("{SEND}?access_token={}", rig.token().await);
    let body = good();
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (url, body) = (rig.url(&path), body.clone());
        sends.spawn(async move {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client.post(url).json(&body).send().await.unwrap().json::<Value>().await.unwrap()
        });
    }
    let answers = sends.join_all().await;
    assert_eq!(answers.iter().filter(|answer| errcode(answer) == 0).count(), 5);
    assert_eq!(rig.control().sent_messages(WANG).len(), 5);
}

#[tokio::test]
async fn what_does_not_fit_costs_nothing() {
    let rig = rig();
    rig.control().accept_consent("wang", TEMPLATE, 1).unwrap();
    let change = |key: &str, value: Value| {
        let mut body = good();
        body[key] = value;
        body
    };
    for (body, expected) in [
        (message(&"长".repeat(21), "09:30"), 47003),
        (message("两\n行", "09:30"), 47003),
        (message("", "09:30"), 47003),
        (message("好", "soon"), 47003),
        (change("data", json!({ "thing1": { "value": "好" } })), 47003),
        (change("miniprogram_state", json!("release")), 47003),
        (change("touser", json!("nobody")), 40003),
        (change("template_id", json!("nothing")), 40037),
        (change("data", json!("text")), 47001),
        (message("违规的话", "09:30"), 45168),
    ] {
        assert_eq!(errcode(&rig.call(SEND, body.clone()).await), expected, "{body}");
    }
    assert_eq!(rig.control().consents_left("wang", TEMPLATE), Ok(1));
    assert_eq!(errcode(&rig.call(SEND, good()).await), 0);
}

#[tokio::test]
async fn refusing_voids_what_was_accepted_and_a_ban_says_so() {
    let rig = rig();
    rig.control().accept_consent("wang", TEMPLATE, 3).unwrap();
    rig.control().answer_consent("wang", TEMPLATE, Answer::Reject, 1).unwrap();
    assert_eq!(errcode(&rig.call(SEND, good()).await), 43101);
    rig.post("/sim/consents", json!({ "persona": "wang", "template": TEMPLATE, "answer": "ban" })).await;
    assert_eq!(errcode(&rig.call(SEND, good()).await), 43107);
    let left = rig.post("/sim/consents", json!({ "persona": "wang", "template": TEMPLATE, "count": 2 })).await;
    assert_eq!(left, json!({ "left": 2 }));
}

#[tokio::test]
async fn without_consent_required_everything_is_sent() {
    let rig = Rig::with(|settings| Settings { templates: templates(), consent_required: false, ..settings });
    assert_eq!(errcode(&rig.call(SEND, good()).await), 0);
    rig.control().script_text(wechat_simulator::TextRule { contains: "灯".into(), verdict: Suggest::Review.into() });
    assert_eq!(errcode(&rig.call(SEND, good()).await), 0, "only risky words are refused");
}

#[tokio::test]
async fn the_backend_hears_of_answers_and_of_sent_messages() {
    let (rig, backend) = (rig(), Backend::start());
    rig.simulator.set_push(Some(backend.push(PushMode::Secure)));
    rig.control().accept_consent("wang", TEMPLATE, 2).unwrap();
    rig.control().settled().await;
    let sent = rig.call(SEND, good()).await;
    rig.control().settled().await;
    rig.control().answer_consent("wang", TEMPLATE, Answer::Reject, 1).unwrap();
    rig.control().settled().await;
    let events = backend.events();
    let names: Vec<_> = events.iter().map(|event| event["Event"].as_str().unwrap()).collect();
    let popup = "subscribe_msg_popup_event";
    assert_eq!(names, [popup, popup, "subscribe_msg_sent_event", "subscribe_msg_change_event"]);
    assert_eq!(events[0]["List"]["SubscribeStatusString"], "accept");
    assert_ne!(events[0]["CreateTime"], events[1]["CreateTime"], "two accepts are two events");
    assert_eq!(events[2]["List"]["MsgID"], sent["msgid"].to_string());
    assert_eq!(events[3]["FromUserName"], WANG);
}
