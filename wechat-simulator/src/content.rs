//! Content checks: text at once, pictures and sound by a push. Verdicts are scripted; everything else passes.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::errcode::Errcode;
use crate::ids;
use crate::push::{self, Event};
use crate::rates::Counted;
use crate::tokens::Authorised;
use crate::wire::{Body, ok};
use crate::world::World;

const LONGEST_TEXT: usize = 2_500;
const LARGEST_MEDIA: usize = 10 * 1024 * 1024;
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What WeChat suggests to do with content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suggest {
    /// Publish it.
    Pass,
    /// Let a person look at it.
    Review,
    /// Do not publish it.
    Risky,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What to do.
    pub suggest: Suggest,
    /// Why: 100 normal, 10001 ads, 20001 politics, 20002 porn, 20003 abuse, 20006 crime, 20008 fraud, 20012 vulgar,
    /// 20013 copyright, 21000 other.
    pub label: i64,
}

impl From<Suggest> for Verdict {
    /// With the usual label: 100, 21000, 20002.
    fn from(suggest: Suggest) -> Self {
        let label = match suggest {
            Suggest::Pass => 100,
            Suggest::Review => 21000,
            Suggest::Risky => 20002,
        };
        Self { suggest, label }
    }
}

/// A verdict for every text that contains certain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRule {
    /// The words.
    pub contains: String,
    /// The verdict.
    pub verdict: Verdict,
}

/// The scripted verdicts, and what is being checked.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    /// Before those of the settings, the newest first.
    pub(crate) text_rules: VecDeque<TextRule>,
    pub(crate) next_media: VecDeque<Verdict>,
    /// Part of the address, and the verdict.
    pub(crate) media_rules: VecDeque<(String, Verdict)>,
    pub(crate) media_delay: Option<Duration>,
    checking: HashSet<String>,
}

impl Checks {
    fn media(&mut self, url: &str) -> Verdict {
        let by_url = self.media_rules.iter().find(|(part, _)| url.contains(part)).map(|(_, verdict)| *verdict);
        by_url.or_else(|| self.next_media.pop_front()).unwrap_or(Suggest::Pass.into())
    }
}

impl World {
    pub(crate) fn text_rule(&self, checks: &Checks, text: &str) -> Option<TextRule> {
        checks.text_rules.iter().chain(&self.settings.text_rules).find(|rule| text.contains(&rule.contains)).cloned()
    }
}

#[derive(Deserialize)]
pub(crate) struct TextRequest {
    #[serde(default)]
    content: String,
    version: Option<i64>,
    scene: Option<i64>,
    #[serde(default)]
    openid: String,
    title: Option<String>,
    nickname: Option<String>,
    signature: Option<String>,
}

fn check_arguments(version: Option<i64>, scene: Option<i64>) -> Result<(), Errcode> {
    if version != Some(2) {
        return Err(Errcode::INVALID_ARGS);
    }
    scene.filter(|scene| (1..=4).contains(scene)).map(|_| ()).ok_or(Errcode::INVALID_SCENE_NUMBER)
}

/// `POST /wxa/msg_sec_check`
pub(crate) async fn text(
    _: Authorised,
    world: web::Data<World>,
    body: Body<TextRequest>,
) -> Result<web::Json<Value>, Errcode> {
    let request = body.0;
    check_arguments(request.version, request.scene)?;
    if request.content.is_empty() {
        return Err(Errcode::EMPTY_BODY);
    }
    if request.content.chars().count() > LONGEST_TEXT {
        return Err(Errcode::TEXT_TOO_LONG);
    }
    // A signature is part of a profile and of nothing else.
    if request.signature.is_some() && request.scene != Some(1) {
        return Err(Errcode::INVALID_ARGS);
    }
    let now = world.now();
    let mut state = world.state();
    state.known(&request.openid)?;
    world.active(&state, &request.openid, now)?;
    world.hit(&mut state, Counted::Text, now)?;
    world.hit(&mut state, Counted::TextOfDay, now)?;
    let texts = [Some(request.content), request.title, request.nickname, request.signature];
    let rule = texts.iter().flatten().find_map(|text| world.text_rule(&state.checks, text));
    let verdict = rule.as_ref().map_or(Suggest::Pass.into(), |rule| rule.verdict);
    let mut detail = vec![detail_of(verdict)];
    if let Some(rule) = rule {
        let Verdict { suggest, label } = verdict;
        detail.push(json!({
            "strategy": "keyword", "errcode": 0, "suggest": suggest, "label": label,
            "keyword": rule.contains, "level": 90,
        }));
    }
    Ok(ok(json!({ "result": verdict, "detail": detail, "trace_id": ids::trace_id() })))
}

fn detail_of(Verdict { suggest, label }: Verdict) -> Value {
    json!({ "strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90 })
}

#[derive(Deserialize)]
pub(crate) struct MediaRequest {
    #[serde(default)]
    media_url: String,
    media_type: Option<i64>,
    version: Option<i64>,
    scene: Option<i64>,
    #[serde(default)]
    openid: String,
}

/// `POST /wxa/media_check_async`
pub(crate) async fn media(
    _: Authorised,
    world: web::Data<World>,
    body: Body<MediaRequest>,
) -> Result<web::Json<Value>, Errcode> {
    let request = body.0;
    check_arguments(request.version, request.scene)?;
    if !matches!(request.media_type, Some(1 | 2)) {
        return Err(Errcode::INVALID_MEDIA_TYPE);
    }
    let url = reqwest::Url::parse(&request.media_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or(Errcode::INVALID_URL)?;
    let now = world.now();
    let (verdict, delay) = {
        let mut state = world.state();
        state.known(&request.openid)?;
        world.active(&state, &request.openid, now)?;
        world.hit(&mut state, Counted::Media, now)?;
        world.hit(&mut state, Counted::MediaOfDay, now)?;
        if !state.checks.checking.insert(request.media_url.clone()) {
            return Err(Errcode::MEDIA_REPEATED);
        }
        let delay = state.checks.media_delay.unwrap_or(world.settings.media_delay);
        (state.checks.media(&request.media_url), delay)
    };
    let trace_id = ids::trace_id();
    let check = check_media(world.clone().into_inner(), request, url, verdict, delay, trace_id.clone());
    world.spawn(check);
    Ok(ok(json!({ "trace_id": trace_id })))
}

async fn check_media(
    world: std::sync::Arc<World>,
    request: MediaRequest,
    url: reqwest::Url,
    verdict: Verdict,
    delay: Duration,
    trace_id: String,
) {
    tokio::time::sleep(delay).await;
    let fetched = download(&world.http, url).await;
    world.state().checks.checking.remove(&request.media_url);
    let event = Event::new(&request.openid, "wxa_media_check")
        .field("appid", json!(world.settings.appid))
        .field("trace_id", json!(trace_id))
        .field("version", json!(2));
    let event = match fetched {
        Ok(()) => event
            .field("errcode", json!(0))
            .field("errmsg", json!("ok"))
            .field("result", json!(verdict))
            .field("detail", json!([detail_of(verdict)])),
        // WeChat's result counts only when errcode is 0: here there is none.
        Err(reason) => {
            tracing::warn!(url = request.media_url, reason, "media to be checked could not be downloaded");
            let failed = Errcode::DOWNLOAD_FAILED;
            event.field("errcode", json!(failed.0)).field("errmsg", json!(failed.text()))
        }
    };
    push::deliver(&world, &event).await;
}

/// Fetches the file as WeChat does, so that a signed address is really tried.
async fn download(http: &reqwest::Client, url: reqwest::Url) -> Result<(), String> {
    let text = |error: reqwest::Error| error.to_string();
    let request = http.get(url).timeout(DOWNLOAD_TIMEOUT).send();
    let mut response = request.await.and_then(reqwest::Response::error_for_status).map_err(text)?;
    let mut size = 0;
    while let Some(chunk) = response.chunk().await.map_err(text)? {
        size += chunk.len();
        if size > LARGEST_MEDIA {
            return Err("larger than 10 MB".to_owned());
        }
    }
    if size == 0 { Err("empty".to_owned()) } else { Ok(()) }
}
