//! What a simulator is started with.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::SharedClock;
use crate::content::{Suggest, TextRule, Verdict};

/// A person who uses the mini-program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persona {
    /// The handle used in `/sim/*` calls, such as `wang`.
    pub name: String,
    /// The person's id in this mini-program.
    pub openid: String,
    /// The person's id across the account's mini-programs, when it is bound to an open platform account.
    pub unionid: Option<String>,
    /// The pure number, such as `13800000001`.
    pub phone: String,
    /// Who this is, for the page.
    pub label: String,
}

/// A subscribe message's template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// `template_id`.
    pub id: String,
    /// Its title, for the page.
    pub title: String,
    /// Keys like `thing1`, `time2`; every one must be in a message.
    pub fields: Vec<String>,
}

/// How a push's body is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushMode {
    /// Clear, signed with `signature`.
    Plain,
    /// Encrypted, signed with `msg_signature`.
    #[default]
    Secure,
}

/// Where events are pushed to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Push {
    /// The backend's endpoint.
    pub url: String,
    /// The token both sides sign with.
    pub token: String,
    /// 43 characters.
    pub encoding_aes_key: String,
    /// Plain or secure.
    #[serde(default)]
    pub mode: PushMode,
}

/// What a simulator is started with. [`Settings::default`] is a small demo.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The mini-program's id.
    pub appid: String,
    /// The mini-program's secret.
    pub secret: String,
    /// The account's original id, `ToUserName` of every push.
    pub account: String,
    /// The people who exist at the start; more can be added.
    pub personas: Vec<Persona>,
    /// The subscribe messages' templates.
    pub templates: Vec<Template>,
    /// The published pages. Empty: every well-formed path is one.
    pub pages: Vec<String>,
    /// Where to push events; can be set later.
    pub push: Option<Push>,
    /// The time of every expiry.
    pub clock: SharedClock,
    /// Whether sending a subscribe message needs an accept that is not used up, else 43101.
    pub consent_required: bool,
    /// How many messages of every template everybody accepts before they are asked; nothing is pushed about these.
    pub accepted_beforehand: u32,
    /// How long after a login a person's content may be checked, else 61010. `None`: always.
    pub active_window: Option<Duration>,
    /// Whether WeChat's limits per minute and per day are kept.
    pub rate_limits: bool,
    /// Verdicts of texts: the first rule whose words are in the text, else pass.
    pub text_rules: Vec<TextRule>,
    /// How long a media check takes, in real time.
    pub media_delay: Duration,
    /// Whether `subscribe_msg_sent_event` is pushed after each message.
    pub delivery_reports: bool,
    /// How long the backend may take to answer a push, in real time.
    pub push_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            appid: "wx5b1a0000linli000".to_owned(),
            secret: "0123456789abcdef0123456789abcdef".to_owned(),
            account: "gh_5b1a0000b111".to_owned(),
            personas: demo_personas(),
            templates: demo_templates(),
            pages: Vec::new(),
            push: None,
            clock: SharedClock::new(),
            consent_required: true,
            accepted_beforehand: 0,
            active_window: Some(Duration::from_hours(2)),
            rate_limits: true,
            text_rules: built_in_rules(),
            media_delay: Duration::from_millis(100),
            delivery_reports: true,
            push_timeout: Duration::from_secs(5),
        }
    }
}

/// 违规 is risky (20006, crime); 疑似 waits for a person (20001).
fn built_in_rules() -> Vec<TextRule> {
    let rule = |contains: &str, suggest, label| TextRule {
        contains: contains.to_owned(),
        verdict: Verdict { suggest, label },
    };
    vec![rule("违规", Suggest::Risky, 20006), rule("疑似", Suggest::Review, 20001)]
}

fn demo_personas() -> Vec<Persona> {
    [
        ("wang", "王大姐 · 3 号楼业主", "1"),
        ("li", "李师傅 · 5 号楼租户", "2"),
        ("zhao", "赵主任 · 居委会", "3"),
        ("chen", "陈同学 · 志愿者", "4"),
    ]
    .into_iter()
    .map(|(name, label, digit)| Persona {
        name: name.to_owned(),
        openid: format!("oSim{name:0<23}{digit}"),
        unionid: Some(format!("uSim{name:0<23}{digit}")),
        phone: format!("1380000000{digit}"),
        label: label.to_owned(),
    })
    .collect()
}

fn demo_templates() -> Vec<Template> {
    [
        ("simTemplateProgress000000000000000000000001", "诉求进度通知", ["thing1", "phrase2", "time3"].as_slice()),
        ("simTemplateVote0000000000000000000000000002", "投票开始提醒", ["thing1", "time2"].as_slice()),
        ("simTemplateActivity000000000000000000000003", "活动报名成功", ["thing1", "date2", "thing3"].as_slice()),
    ]
    .into_iter()
    .map(|(id, title, fields)| Template {
        id: id.to_owned(),
        title: title.to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    })
    .collect()
}
