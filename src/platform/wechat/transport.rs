//! One call to WeChat: sends it, reads the answer, tries again while WeChat is busy.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::error::{SetupError, Unreachable, WeChatError};
use crate::platform::ids;

/// How often a call is sent in all while WeChat says it is busy.
const TRIES: u32 = 3;
/// The shortest wait after the first try; it doubles, and up to as much again is added by chance.
const PAUSE: Duration = Duration::from_millis(100);
/// Far more than any answer has; a picture of a code has some 100 KB.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A call that can be sent again: nothing of it is used up.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    /// POST with this body, or GET.
    pub(super) body: Option<&'a Value>,
}

/// The HTTP client and where WeChat is.
#[derive(Clone)]
pub(super) struct Transport {
    client: Client,
    base_url: String,
}

impl Transport {
    pub(super) fn new(base_url: &str, timeout: Duration) -> Result<Self, SetupError> {
        // Whoever came first has installed one; which, does not matter.
        let _ = rustls::crypto::ring::default_provider().install_default();
        if !Url::parse(base_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none()) {
            return Err(SetupError::BaseUrl);
        }
        // A redirect would carry the secrets of the query to somewhere else.
        let client = Client::builder().timeout(timeout).redirect(Policy::none()).build()?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned() })
    }

    /// The answer's body once WeChat reports no error in it.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Vec<u8>, WeChatError> {
        for tries in 1..TRIES {
            match self.send_once(call).await {
                Err(WeChatError::Busy) => tokio::time::sleep(pause(tries)).await,
                answer => return answer,
            }
        }
        self.send_once(call).await
    }

    async fn send_once(&self, call: Call<'_>) -> Result<Vec<u8>, WeChatError> {
        let url = format!("{}{}", self.base_url, call.path);
        let request = match call.body {
            Some(body) => self.client.post(url).json(body),
            None => self.client.get(url),
        };
        let body = exchange(request.query(call.query)).await?;
        // Pictures come bare, everything else and every error as a JSON object.
        if body.first() == Some(&b'{') {
            let Status { errcode, errmsg } = parse(&body)?;
            if errcode != 0 {
                tracing::info!(path = call.path, errcode, errmsg, "WeChat reports an error");
                return Err(WeChatError::from_errcode(errcode));
            }
        }
        Ok(body)
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Vec<u8>, Unreachable> {
    let mut response = request.send().await?;
    if !response.status().is_success() {
        return Err(Unreachable::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err(Unreachable::Unreadable(Category::Data));
        }
    }
    Ok(body)
}

/// A success may lack both.
#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

/// Reads an answer.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, WeChatError> {
    serde_json::from_slice(body).map_err(|error| WeChatError::unreadable(error.classify()))
}

fn pause(tries: u32) -> Duration {
    let least = PAUSE * 2_u32.pow(tries - 1);
    let [chance] = ids::random_bytes();
    least + least * u32::from(chance) / 256
}
