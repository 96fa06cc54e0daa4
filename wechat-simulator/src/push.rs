//! Pushing events to the backend, in plain and in secure mode, again and again until it says `success`.

use std::collections::VecDeque;
use std::sync::Arc;

use actix_web::web;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::crypto::{PushCipher, signature};
use crate::ids;
use crate::settings::{Push, PushMode};
use crate::world::World;

/// One attempt, and three more.
const ATTEMPTS: u32 = 4;
/// How many deliveries are remembered.
const KEPT: usize = 200;

/// How `List` is written: WeChat's documents and its servers do not agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListShape {
    /// An object when there is one entry, an array when there are more: what is seen in practice.
    #[default]
    Observed,
    /// Always an array.
    Array,
    /// Under the event's own name, such as `SubscribeMsgPopupEvent`, with `CreateTime` as text.
    Nested,
}

/// An event to push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whom it is about: a name or an openid.
    pub persona: String,
    /// `Event`, such as `subscribe_msg_popup_event`.
    pub event: String,
    /// The entries of `List`; none, no `List`.
    #[serde(default)]
    pub list: Vec<Value>,
    /// How `List` is written.
    #[serde(default)]
    pub shape: ListShape,
    /// Further fields, which win over the usual ones.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

impl Event {
    /// An event without fields of its own.
    #[must_use]
    pub fn new(persona: &str, event: &str) -> Self {
        let (persona, event) = (persona.to_owned(), event.to_owned());
        Self { persona, event, list: Vec::new(), shape: ListShape::default(), fields: Map::new() }
    }

    /// With one field more.
    #[must_use]
    pub fn field(mut self, key: &str, value: Value) -> Self {
        self.fields.insert(key.to_owned(), value);
        self
    }

    /// With one entry more in `List`.
    #[must_use]
    pub fn entry(mut self, entry: Value) -> Self {
        self.list.push(entry);
        self
    }

    /// With `List` written in another shape.
    #[must_use]
    pub fn shape(mut self, shape: ListShape) -> Self {
        self.shape = shape;
        self
    }

    /// The person answered the popup that asks for messages.
    #[must_use]
    pub fn popup(persona: &str, template: &str, status: &str) -> Self {
        Self::new(persona, "subscribe_msg_popup_event").entry(json!({
            "TemplateId": template, "SubscribeStatusString": status, "PopupScene": "0",
        }))
    }

    /// The person switched a template off in the settings.
    #[must_use]
    pub fn change(persona: &str, template: &str) -> Self {
        let entry = json!({ "TemplateId": template, "SubscribeStatusString": "reject" });
        Self::new(persona, "subscribe_msg_change_event").entry(entry)
    }

    /// A message was sent.
    #[must_use]
    pub fn sent(persona: &str, template: &str, msgid: u64) -> Self {
        Self::new(persona, "subscribe_msg_sent_event").entry(json!({
            "TemplateId": template, "MsgID": msgid.to_string(), "ErrorCode": "0", "ErrorStatus": "success",
        }))
    }

    fn body(&self, account: &str, openid: &str, time: i64) -> Value {
        let mut list = self.list.clone();
        let list = match (list.len(), self.shape) {
            (0, _) => None,
            (1, ListShape::Observed) => list.pop(),
            _ => Some(Value::Array(list)),
        };
        let nested = self.shape == ListShape::Nested;
        let mut body = Map::new();
        body.insert("ToUserName".to_owned(), json!(account));
        body.insert("FromUserName".to_owned(), json!(openid));
        body.insert("CreateTime".to_owned(), if nested { json!(time.to_string()) } else { json!(time) });
        body.insert("MsgType".to_owned(), json!("event"));
        body.insert("Event".to_owned(), json!(self.event));
        match list {
            Some(list) if nested => drop(body.insert(upper_camel(&self.event), json!({ "List": list }))),
            Some(list) => drop(body.insert("List".to_owned(), list)),
            None => {}
        }
        body.extend(self.fields.clone());
        Value::Object(body)
    }
}

/// `subscribe_msg_popup_event` → `SubscribeMsgPopupEvent`
fn upper_camel(snake: &str) -> String {
    let capitalised = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    };
    snake.split('_').map(capitalised).collect()
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// `Event`.
    pub event: String,
    /// Whom it was about.
    pub openid: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether the backend said `success` in time.
    pub delivered: bool,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// The latest deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(VecDeque<Delivery>);

impl Deliveries {
    fn keep(&mut self, delivery: Delivery) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(delivery);
    }

    /// The oldest first.
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.0.iter().cloned().collect()
    }
}

/// Pushes beside the request that caused it.
pub(crate) fn deliver_later(world: &web::Data<World>, event: Event) {
    let task_world = Arc::clone(world);
    world.spawn(async move {
        deliver(&task_world, &event).await;
    });
}

/// Pushes now; with nowhere to push to, there is nothing to do.
pub(crate) async fn deliver(world: &World, event: &Event) -> Option<Delivery> {
    deliver_at(world, event, TimeDelta::zero()).await
}

/// As [`deliver`], for something that happened `ago`.
pub(crate) async fn deliver_at(world: &World, event: &Event, ago: TimeDelta) -> Option<Delivery> {
    let (push, openid) = {
        let state = world.state();
        let found = state.people.find(&event.persona).map(|persona| persona.openid.clone());
        (state.push.clone()?, found.unwrap_or_else(|_| event.persona.clone()))
    };
    // The same body each time: a backend recognises a repetition by FromUserName and CreateTime.
    let body = event.body(&world.settings.account, &openid, (world.now() - ago).timestamp()).to_string();
    let timeout = world.settings.push_timeout;
    let mut delivery =
        Delivery { event: event.event.clone(), openid: openid.clone(), attempts: 0, delivered: false, error: None };
    while delivery.attempts < ATTEMPTS && !delivery.delivered {
        if delivery.attempts > 0 {
            tracing::warn!(event = event.event, error = delivery.error, "push failed and is tried again");
        }
        delivery.attempts += 1;
        let next_attempt = tokio::time::sleep(timeout);
        let outcome = tokio::time::timeout(timeout, attempt(world, &push, &openid, &body)).await;
        delivery.error = outcome.unwrap_or_else(|_| Err("no answer in time".to_owned())).err();
        delivery.delivered = delivery.error.is_none();
        if !delivery.delivered && delivery.attempts < ATTEMPTS {
            next_attempt.await;
        }
    }
    world.state().deliveries.keep(delivery.clone());
    Some(delivery)
}

async fn attempt(world: &World, push: &Push, openid: &str, body: &str) -> Result<(), String> {
    let timestamp = world.now().timestamp().to_string();
    let nonce = ids::nonce();
    let plain_signature = signature(&[&push.token, &timestamp, &nonce]);
    let query =
        [("signature", plain_signature.as_str()), ("timestamp", &timestamp), ("nonce", &nonce), ("openid", openid)];
    let request = world.http.post(&push.url).header("Content-Type", "application/json").query(&query);
    let request = match push.mode {
        PushMode::Plain => request.body(body.to_owned()),
        PushMode::Secure => {
            let cipher = PushCipher::new(&push.encoding_aes_key, &world.settings.appid);
            let sealed = cipher.and_then(|cipher| cipher.seal(body)).map_err(|error| error.to_string())?;
            let msg_signature = signature(&[&push.token, &timestamp, &nonce, &sealed]);
            let sealed = json!({ "ToUserName": world.settings.account, "Encrypt": sealed });
            request.query(&[("encrypt_type", "aes"), ("msg_signature", &msg_signature)]).body(sealed.to_string())
        }
    };
    let answer = text_of(request).await?;
    // WeChat takes an empty answer for `success`.
    if matches!(answer.trim(), "success" | "") { Ok(()) } else { Err(format!("answered {answer:?}")) }
}

/// The check WeChat makes when the push endpoint is set up: whether the backend echoes.
pub(crate) async fn verify(world: &World, push: &Push) -> Result<(), String> {
    let timestamp = world.now().timestamp().to_string();
    let (nonce, echo) = (ids::nonce(), ids::nonce());
    let signature = signature(&[&push.token, &timestamp, &nonce]);
    let query = [("signature", &signature), ("timestamp", &timestamp), ("nonce", &nonce), ("echostr", &echo)];
    let answer = text_of(world.http.get(&push.url).query(&query).timeout(world.settings.push_timeout)).await?;
    if answer == echo { Ok(()) } else { Err(format!("answered {answer:?}, not the echostr")) }
}

async fn text_of(request: reqwest::RequestBuilder) -> Result<String, String> {
    let response = request.send().await.and_then(reqwest::Response::error_for_status);
    response.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())
}
