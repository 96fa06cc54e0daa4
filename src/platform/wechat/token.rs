//! The access token, of which a mini-program has one at a time for all its servers.
//!
//! The rules, each with the mistake it prevents:
//!
//! - The token stands in the shared cache; each process remembers it too, so that a call costs no round trip and the
//!   cache may fail. A process whose memory is out of date hears 40001, and finds the newer token in the cache.
//! - Only who holds the lock asks for a token: a lock in this process, then one in the cache. The latter has an owner
//!   and is released by comparing, so that nobody releases another's; it outlives the longest time its holder works.
//! - Whoever got the lock looks again before asking: the one before may have stored a token meanwhile.
//! - Waiting is bounded. Without the cache's lock we ask all the same: the ordinary mode of `stable_token` gives
//!   everybody the same token, so that nothing breaks but thrift.
//! - A token that failed is removed only if it is still the one that is stored.
//! - If WeChat gives the token that failed once more, a new one is forced: at most 20 times a day and never twice
//!   within 30 seconds, by all processes together, because WeChat allows no more.
//! - A token is renewed minutes before its end: by one caller, while the others go on with the old one.
//! - Renewing runs in a task of its own: a caller who hangs up does not leave the locks behind.
//!
//! When the cache is down, all this holds within each process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::error::{Unreachable, WeChatError};
use super::model::Settings;
use super::transport::{Call, Transport, parse};
use crate::platform::cache::{Cache, CacheError, MemoryCache, SharedCache};
use crate::platform::calendar;
use crate::platform::clock::Clock;
use crate::platform::ids;

/// How long before its end a token is renewed; never before half its time, or one given late would be renewed on and on.
const EARLY: TimeDelta = TimeDelta::minutes(5);
/// WeChat's longest life of a token, in seconds.
const LONGEST: i64 = 7_200;
/// How often, and how many times, we look whether the cache's lock is free.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 30;
const FORCED_APART: Duration = Duration::from_secs(31);
const FORCED_PER_DAY: i64 = 20;
const DAY: Duration = Duration::from_hours(24);

/// An access token; `Debug` does not show it.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) value: SecretString,
    renew_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Token {
    fn is(&self, other: &Self) -> bool {
        self.value.expose_secret() == other.value.expose_secret()
    }
}

/// A token as the cache holds it.
#[derive(Serialize, Deserialize)]
struct Stored {
    token: String,
    renew_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// What WeChat answers.
#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: i64,
}

/// Keeps the token.
pub(super) struct Tokens {
    transport: Transport,
    appid: String,
    secret: SecretString,
    cache: SharedCache,
    clock: Clock,
    /// Never held across an await.
    memory: Mutex<Option<Token>>,
    /// Whose turn it is in this process to renew.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Counts forced refreshes while the cache is down.
    own_counts: MemoryCache,
    /// The longest that renewing may take once the locks are held.
    work: Duration,
}

impl Tokens {
    pub(super) fn new(settings: &Settings, transport: Transport, cache: SharedCache, clock: Clock) -> Self {
        Self {
            transport,
            appid: settings.appid.clone(),
            secret: settings.secret.clone(),
            cache,
            clock,
            memory: Mutex::default(),
            turn: Arc::default(),
            own_counts: MemoryCache::default(),
            work: settings.timeout * 3 + Duration::from_secs(1),
        }
    }

    /// A token that works as far as is known here.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Token, WeChatError> {
        let now = self.clock.now();
        match self.remembered().filter(|token| now < token.expires_at) {
            Some(token) if now < token.renew_at => Ok(token),
            Some(token) => match Arc::clone(&self.turn).try_lock_owned() {
                Ok(turn) => Ok(self.renew(turn, None).await.unwrap_or(token)),
                Err(_) => Ok(token),
            },
            None => self.renew(self.take_turn().await?, None).await,
        }
    }

    /// Another token, after WeChat did not take this one.
    pub(super) async fn replace(self: &Arc<Self>, failed: Token) -> Result<Token, WeChatError> {
        self.discard(&failed).await;
        self.renew(self.take_turn().await?, Some(failed)).await
    }

    /// Forgets a token that failed, wherever it is still the present one.
    pub(super) async fn discard(&self, failed: &Token) {
        self.memory().take_if(|token| token.is(failed));
        if let Err(error) = self.discard_shared(failed).await {
            tracing::warn!(%error, "an access token that failed stays in the cache");
        }
    }

    async fn discard_shared(&self, failed: &Token) -> Result<(), CacheError> {
        let key = self.key("token");
        if let Some(text) = self.cache.get(&key).await?
            && read(&text).is_some_and(|token| token.is(failed))
        {
            self.cache.compare_and_delete(&key, &text).await?;
        }
        Ok(())
    }

    async fn take_turn(&self) -> Result<OwnedMutexGuard<()>, WeChatError> {
        let longest = self.work + LOOK_EVERY * LOOKS;
        tokio::time::timeout(longest, Arc::clone(&self.turn).lock_owned()).await.or(Err(WeChatError::TokenUnavailable))
    }

    async fn renew(self: &Arc<Self>, turn: OwnedMutexGuard<()>, failed: Option<Token>) -> Result<Token, WeChatError> {
        let tokens = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = turn;
            tokens.renew_in_turn(failed.as_ref()).await
        });
        let renewed = task.await.unwrap_or(Err(WeChatError::TokenUnavailable));
        renewed.inspect_err(|error| tracing::warn!(%error, "no new access token"))
    }

    async fn renew_in_turn(&self, failed: Option<&Token>) -> Result<Token, WeChatError> {
        if let Some(token) = self.remembered().filter(|token| self.serves(token, failed)) {
            return Ok(token);
        }
        let renewed = match self.renew_shared(failed).await {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::warn!(%error, "the access token is not shared");
                self.fetch(failed).await
            }
        };
        if let Ok(token) = &renewed {
            *self.memory() = Some(token.clone());
        }
        renewed
    }

    /// By way of the cache; the outer error says that this is not possible.
    async fn renew_shared(&self, failed: Option<&Token>) -> Result<Result<Token, WeChatError>, CacheError> {
        if let Some(token) = self.shared(failed).await? {
            return Ok(Ok(token));
        }
        let owner = ids::unordered::<Uuid>().to_string();
        let locked = self.lock(&owner, failed).await?;
        let renewed = match self.shared(failed).await? {
            Some(token) => Ok(token),
            None => self.fetch(failed).await,
        };
        if let Ok(token) = &renewed
            && let Err(error) = self.share(token).await
        {
            tracing::warn!(%error, "the access token is not shared");
        }
        if locked && let Err(error) = self.cache.compare_and_delete(&self.key("lock"), &owner).await {
            tracing::warn!(%error, "the access token's lock has to run out");
        }
        Ok(renewed)
    }

    /// Waits for the cache's lock, but not for ever, nor once another process has stored a token; says whether it is ours.
    async fn lock(&self, owner: &str, failed: Option<&Token>) -> Result<bool, CacheError> {
        let life = (self.work + Duration::from_secs(5)).max(Duration::from_secs(10));
        for _ in 0..LOOKS {
            if self.cache.set_if_absent(&self.key("lock"), owner, life).await? {
                return Ok(true);
            }
            tokio::time::sleep(LOOK_EVERY).await;
            if self.shared(failed).await?.is_some() {
                break;
            }
        }
        Ok(false)
    }

    /// The token in the cache, if it serves.
    async fn shared(&self, failed: Option<&Token>) -> Result<Option<Token>, CacheError> {
        let text = self.cache.get(&self.key("token")).await?;
        Ok(text.as_deref().and_then(read).filter(|token| self.serves(token, failed)))
    }

    async fn share(&self, token: &Token) -> Result<(), CacheError> {
        let stored = json!(Stored {
            token: token.value.expose_secret().to_owned(),
            renew_at: token.renew_at,
            expires_at: token.expires_at,
        });
        let life = (token.expires_at - self.clock.now()).to_std().unwrap_or_default();
        self.cache.set(&self.key("token"), &stored.to_string(), life.max(Duration::from_secs(1))).await
    }

    fn serves(&self, token: &Token, failed: Option<&Token>) -> bool {
        self.clock.now() < token.renew_at && failed.is_none_or(|failed| !failed.is(token))
    }

    /// Asks WeChat, and forces a new token if the one that failed comes back.
    async fn fetch(&self, failed: Option<&Token>) -> Result<Token, WeChatError> {
        let fetching = async {
            let token = self.ask(false).await?;
            if !failed.is_some_and(|failed| failed.is(&token)) {
                return Ok(token);
            }
            if !self.may_force().await {
                return Err(WeChatError::TokenUnavailable);
            }
            tracing::warn!("WeChat gave an access token that failed once more: forcing a new one");
            self.ask(true).await
        };
        tokio::time::timeout(self.work, fetching).await.unwrap_or(Err(Unreachable::TimedOut.into()))
    }

    async fn ask(&self, force_refresh: bool) -> Result<Token, WeChatError> {
        let now = self.clock.now();
        let body = json!({
            "grant_type": "client_credential",
            "appid": self.appid,
            "secret": self.secret.expose_secret(),
            "force_refresh": force_refresh,
        });
        let call = Call { path: "/cgi-bin/stable_token", query: &[], body: Some(&body) };
        let answer = self.transport.send(call).await.map_err(|error| match error {
            WeChatError::Rejected { errcode } | WeChatError::TokenInvalid { errcode } => {
                WeChatError::TokenRefused { errcode }
            }
            error => error,
        })?;
        let Issued { access_token, expires_in } = parse(&answer)?;
        let life = TimeDelta::seconds(expires_in.clamp(0, LONGEST));
        Ok(Token {
            value: SecretString::from(access_token),
            renew_at: now + (life - EARLY).max(life / 2),
            expires_at: now + life,
        })
    }

    async fn may_force(&self) -> bool {
        let counted = match self.count_forced(&*self.cache).await {
            Err(_) => self.count_forced(&self.own_counts).await,
            counted => counted,
        };
        counted.unwrap_or(false)
    }

    async fn count_forced(&self, cache: &dyn Cache) -> Result<bool, CacheError> {
        if !cache.set_if_absent(&self.key("forced"), "1", FORCED_APART).await? {
            return Ok(false);
        }
        // WeChat's day begins at midnight in Beijing.
        let day = calendar::day(self.clock.now());
        Ok(cache.increment(&self.key(&format!("forced:{day}")), DAY).await? <= FORCED_PER_DAY)
    }

    fn key(&self, what: &str) -> String {
        format!("wechat:{}:{what}", self.appid)
    }

    fn remembered(&self) -> Option<Token> {
        self.memory().clone()
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Option<Token>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the cache holds, if it can be read.
fn read(text: &str) -> Option<Token> {
    let Stored { token, renew_at, expires_at } = serde_json::from_str(text).ok()?;
    Some(Token { value: SecretString::from(token), renew_at, expires_at })
}
