//! Subscribe messages: who accepted how many of which template, and what was sent.

use std::collections::{HashMap, VecDeque};

use actix_web::web;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::content::Suggest;
use crate::errcode::Errcode;
use crate::fields::fits;
use crate::ids;
use crate::push::{self, Event};
use crate::tokens::Authorised;
use crate::wire::{Body, ok};
use crate::world::World;

/// How many messages are kept for each person.
const KEPT: usize = 500;

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Such as `thing1`.
    pub key: String,
    /// What stands in it.
    pub value: String,
}

/// A message that reached a person's phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// WeChat's number of it, above 2^53: text in JSON, so that the page keeps every digit.
    #[serde(serialize_with = "as_text")]
    pub msgid: u64,
    /// To whom.
    pub openid: String,
    /// `template_id`.
    pub template_id: String,
    /// The template's title.
    pub title: String,
    /// In the template's order.
    pub fields: Vec<Field>,
    /// The page a tap opens.
    pub page: Option<String>,
    /// When, by the shared clock.
    pub sent_at: DateTime<Utc>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn as_text<S: Serializer>(msgid: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(msgid)
}

/// What a person answered when asked for a template's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes: one more message each time.
    #[default]
    Accept,
    /// Switched off in the settings: whatever was accepted is void, 43101.
    Reject,
    /// The template is banned, 43107, until the next accept.
    Ban,
}

#[derive(Clone, Copy, Debug, Default)]
struct Consent {
    left: u32,
    banned: bool,
}

/// Every person's consents and messages.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// What everybody accepts of every template before they are asked.
    pub(crate) accepted_beforehand: u32,
    consents: HashMap<(String, String), Consent>,
    messages: HashMap<String, VecDeque<Message>>,
}

impl Mailbox {
    pub(crate) fn answer(&mut self, openid: &str, template: &str, answer: Answer, times: u32) {
        let initial = Consent { left: self.accepted_beforehand, banned: false };
        let consent = self.consents.entry((openid.to_owned(), template.to_owned())).or_insert(initial);
        *consent = match answer {
            Answer::Accept => Consent { left: consent.left.saturating_add(times), banned: false },
            Answer::Reject => Consent { left: 0, banned: false },
            Answer::Ban => Consent { left: 0, banned: true },
        };
    }

    pub(crate) fn left(&self, openid: &str, template: &str) -> u32 {
        self.consents
            .get(&(openid.to_owned(), template.to_owned()))
            .map_or(self.accepted_beforehand, |consent| consent.left)
    }

    /// The oldest first.
    pub(crate) fn messages(&self, openid: &str) -> Vec<Message> {
        self.messages.get(openid).into_iter().flatten().cloned().collect()
    }

    fn spend(&mut self, openid: &str, template: &str, required: bool) -> Result<(), Errcode> {
        let initial = Consent { left: self.accepted_beforehand, banned: false };
        let consent = self.consents.entry((openid.to_owned(), template.to_owned())).or_insert(initial);
        if consent.banned {
            return Err(Errcode::TEMPLATE_BANNED);
        }
        match consent.left.checked_sub(1) {
            Some(left) => consent.left = left,
            None if required => return Err(Errcode::CONSENT_USED_UP),
            None => {}
        }
        Ok(())
    }

    fn keep(&mut self, message: Message) {
        let messages = self.messages.entry(message.openid.clone()).or_default();
        if messages.len() == KEPT {
            messages.pop_front();
        }
        messages.push_back(message);
    }
}

#[derive(Deserialize)]
pub(crate) struct SendRequest {
    #[serde(default)]
    touser: String,
    #[serde(default)]
    template_id: String,
    page: Option<String>,
    #[serde(default)]
    data: Map<String, Value>,
    miniprogram_state: Option<String>,
    lang: Option<String>,
}

/// The text in `{"value": …}`; a number is taken as WeChat takes it.
fn text_of(field: &Value) -> Option<String> {
    match field.get("value")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_one_of(value: Option<&str>, allowed: &[&str]) -> bool {
    value.is_none_or(|value| allowed.contains(&value))
}

/// `POST /cgi-bin/message/subscribe/send`
pub(crate) async fn send(
    _: Authorised,
    world: web::Data<World>,
    body: Body<SendRequest>,
) -> Result<web::Json<Value>, Errcode> {
    let request = body.0;
    let now = world.now();
    let mut state = world.state();
    if state.persona(&request.touser).is_none() {
        return Err(Errcode::INVALID_OPENID);
    }
    let template = world.template(&request.template_id).ok_or(Errcode::INVALID_TEMPLATE)?;
    if !is_one_of(request.miniprogram_state.as_deref(), &["developer", "trial", "formal"])
        || !is_one_of(request.lang.as_deref(), &["zh_CN", "en_US", "zh_HK", "zh_TW"])
    {
        return Err(Errcode::DOES_NOT_FIT);
    }
    let field = |key: &String| {
        let value = request.data.get(key).and_then(text_of).filter(|value| fits(key, value));
        value.map(|value| Field { key: key.clone(), value }).ok_or(Errcode::DOES_NOT_FIT)
    };
    let fields = template.fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    if fields.iter().any(|field| {
        world.text_rule(&state.checks, &field.value).is_some_and(|rule| rule.verdict.suggest == Suggest::Risky)
    }) {
        return Err(Errcode::SENSITIVE_WORD);
    }
    state.mailbox.spend(&request.touser, &template.id, world.settings.consent_required)?;
    let msgid = ids::msgid();
    state.mailbox.keep(Message {
        msgid,
        openid: request.touser.clone(),
        template_id: template.id.clone(),
        title: template.title.clone(),
        fields,
        page: request.page,
        sent_at: now,
    });
    drop(state);
    if world.settings.delivery_reports {
        push::deliver_later(&world, Event::sent(&request.touser, &template.id, msgid));
    }
    Ok(ok(json!({ "msgid": msgid })))
}
