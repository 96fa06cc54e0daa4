//! The calls, one method each.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value, json};

use super::error::{SetupError, WeChatError};
use super::fields;
use super::model::{MiniProgramState, PhoneNumber, Scene, Session, Settings, SubscribeMessage, Suggest, Verdict};
use super::token::Tokens;
use super::transport::{Call, Transport, parse};
use crate::platform::cache::SharedCache;
use crate::platform::clock::Clock;

/// The longest text of one check.
const CHECKED_AT_ONCE: usize = 2_500;
/// How much of one piece is checked again with the next, so that no word hides where they meet.
const CHECKED_TWICE: usize = 50;

/// WeChat's server API for one mini-program; clones share everything.
#[derive(Clone)]
pub struct WeChat(Arc<Inner>);

struct Inner {
    settings: Settings,
    state: MiniProgramState,
    transport: Transport,
    tokens: Arc<Tokens>,
}

impl WeChat {
    /// Sends nothing yet: a server starts while WeChat is away.
    pub fn new(settings: Settings, cache: SharedCache, clock: Clock) -> Result<Self, SetupError> {
        let state = settings.mini_program_state.parse()?;
        let transport = Transport::new(&settings.base_url, settings.timeout)?;
        let tokens = Arc::new(Tokens::new(&settings, transport.clone(), cache, clock));
        Ok(Self(Arc::new(Inner { settings, state, transport, tokens })))
    }

    /// Whom a code of `wx.login` stands for. A code works once, so that this is never sent again by itself but while
    /// WeChat is busy; it needs no access token and no cache.
    pub async fn code_to_session(&self, code: &str) -> Result<Session, WeChatError> {
        #[derive(Deserialize)]
        struct Answer {
            openid: String,
            unionid: Option<String>,
            session_key: SecretString,
        }
        let settings = &self.0.settings;
        let query = [
            ("appid", settings.appid.as_str()),
            ("secret", settings.secret.expose_secret()),
            ("js_code", code),
            ("grant_type", "authorization_code"),
        ];
        let call = Call { path: "/sns/jscode2session", query: &query, body: None };
        let Answer { openid, unionid, session_key } = parse(&self.0.transport.send(call).await?)?;
        Ok(Session { openid, unionid: unionid.filter(|id| !id.is_empty()), session_key })
    }

    /// The phone number behind a code of the `getPhoneNumber` button.
    pub async fn phone_number(&self, code: &str) -> Result<PhoneNumber, WeChatError> {
        #[derive(Deserialize)]
        struct Answer {
            phone_info: Info,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Info {
            pure_phone_number: String,
            country_code: String,
        }
        let answer = self.call("/wxa/business/getuserphonenumber", &json!({ "code": code })).await?;
        let Answer { phone_info } = parse(&answer)?;
        Ok(PhoneNumber { pure_number: phone_info.pure_phone_number, country_code: phone_info.country_code })
    }

    /// Whether a text may be shown. One that is too long for WeChat is checked in pieces, and the worst verdict counts.
    pub async fn check_text(
        &self,
        openid: &str,
        text: &str,
        scene: Scene,
        title: Option<&str>,
    ) -> Result<Verdict, WeChatError> {
        let title = title.filter(|title| !title.trim().is_empty());
        // WeChat refuses an empty text.
        let (text, title) = if text.trim().is_empty() { (title.unwrap_or_default(), None) } else { (text, title) };
        let mut worst = Verdict::PASS;
        for (at, piece) in pieces(text).into_iter().enumerate() {
            let title = title.filter(|_| at == 0);
            let verdict = self.check_piece(openid, piece, scene, title).await?;
            if verdict.suggest > worst.suggest {
                worst = verdict;
            }
            if worst.suggest == Suggest::Risky {
                break;
            }
        }
        Ok(worst)
    }

    async fn check_piece(
        &self,
        openid: &str,
        text: &str,
        scene: Scene,
        title: Option<&str>,
    ) -> Result<Verdict, WeChatError> {
        #[derive(Deserialize)]
        struct Answer {
            result: Judgement,
        }
        #[derive(Deserialize)]
        struct Judgement {
            suggest: String,
            label: i64,
        }
        let mut body = json!({ "content": text, "version": 2, "scene": scene.code(), "openid": openid });
        if let (Some(title), Some(body)) = (title, body.as_object_mut()) {
            body.insert("title".to_owned(), title.into());
        }
        let Answer { result } = parse(&self.call("/wxa/msg_sec_check", &body).await?)?;
        Ok(Verdict { suggest: Suggest::from_word(&result.suggest), label: result.label })
    }

    /// Has WeChat fetch and check a picture. The verdict is pushed within half an hour and carries the trace id given here.
    pub async fn check_image(&self, openid: &str, url: &str) -> Result<String, WeChatError> {
        self.check_media(openid, url, 2).await
    }

    /// [`check_image`](Self::check_image) for a recording.
    pub async fn check_voice(&self, openid: &str, url: &str) -> Result<String, WeChatError> {
        self.check_media(openid, url, 1).await
    }

    async fn check_media(&self, openid: &str, url: &str, kind: u8) -> Result<String, WeChatError> {
        #[derive(Deserialize)]
        struct Answer {
            trace_id: String,
        }
        let body = json!({
            "media_url": url,
            "media_type": kind,
            "version": 2,
            "scene": Scene::Forum.code(),
            "openid": openid,
        });
        let Answer { trace_id } = parse(&self.call("/wxa/media_check_async", &body).await?)?;
        Ok(trace_id)
    }

    /// Sends a message to somebody who agreed to it; what does not fit into a field is cut.
    pub async fn send_subscribe_message(&self, message: &SubscribeMessage) -> Result<(), WeChatError> {
        let data: Map<String, Value> = message
            .data
            .iter()
            .map(|(key, value)| (key.clone(), json!({ "value": fields::fit(key, value) })))
            .collect();
        let mut body = json!({
            "touser": message.openid,
            "template_id": message.template_id,
            "data": data,
            "miniprogram_state": self.0.state.as_message_state(),
            "lang": "zh_CN",
        });
        if let (Some(page), Some(body)) = (&message.page, body.as_object_mut()) {
            body.insert("page".to_owned(), page.trim_start_matches('/').into());
        }
        self.call("/cgi-bin/message/subscribe/send", &body).await?;
        Ok(())
    }

    /// A mini-program code that opens `page` with `scene` (1 to 32 of WeChat's characters), as a JPEG picture.
    pub async fn unlimited_code(&self, scene: &str, page: &str, width: u32) -> Result<Vec<u8>, WeChatError> {
        let version = self.0.state.as_code_version();
        let body = json!({
            "scene": scene,
            "page": page.trim_start_matches('/'),
            // A page that is not published yet exists in the other versions only.
            "check_path": version == "release",
            "env_version": version,
            "width": width.clamp(280, 1280),
        });
        let picture = self.call("/wxa/getwxacodeunlimit", &body).await?;
        match picture.first() {
            None | Some(b'{') => Err(WeChatError::unreadable(Category::Data)),
            Some(_) => Ok(picture),
        }
    }

    /// A call that needs the access token. If WeChat does not take the token, the call is sent once more with another.
    async fn call(&self, path: &str, body: &Value) -> Result<Vec<u8>, WeChatError> {
        let token = self.0.tokens.current().await?;
        match self.call_with(path, body, &token.value).await {
            Err(WeChatError::TokenInvalid { .. }) => {}
            answer => return answer,
        }
        let token = self.0.tokens.replace(token).await?;
        let answer = self.call_with(path, body, &token.value).await;
        if let Err(WeChatError::TokenInvalid { .. }) = answer {
            self.0.tokens.discard(&token).await;
        }
        answer
    }

    async fn call_with(&self, path: &str, body: &Value, token: &SecretString) -> Result<Vec<u8>, WeChatError> {
        let query = [("access_token", token.expose_secret())];
        self.0.transport.send(Call { path, query: &query, body: Some(body) }).await
    }
}

/// A text in pieces that WeChat takes, each beginning with the end of the one before; none for an empty text.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let piece = fields::prefix(rest, CHECKED_AT_ONCE);
        pieces.push(piece);
        if piece.len() == rest.len() {
            break;
        }
        let next = piece.char_indices().nth_back(CHECKED_TWICE - 1).map_or(piece.len(), |(at, _)| at);
        rest = rest.split_at(next).1;
    }
    pieces
}

#[cfg(test)]
mod piece_tests {
    use super::{fields, pieces};

    #[test]
    fn pieces_are_short_enough_overlap_and_leave_nothing_out() {
        assert!(pieces("").is_empty());
        assert_eq!(pieces(&"里".repeat(2_500)).len(), 1);
        for text in ["里".repeat(2_501), "🏮".repeat(4_000), "a里🏮".repeat(3_000)] {
            let pieces = pieces(&text);
            assert!(pieces.len() > 1);
            assert!(pieces.iter().all(|piece| fields::length(piece) <= 2_500));
            let mut joined = String::new();
            for piece in pieces {
                let from = if joined.is_empty() { 0 } else { piece.char_indices().nth(50).unwrap().0 };
                assert!(joined.ends_with(&piece[..from]));
                joined.push_str(&piece[from..]);
            }
            assert_eq!(joined, text);
        }
    }
}
