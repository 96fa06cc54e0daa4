//! What every request and job can reach.

use std::sync::Arc;
use std::time::Duration;

use entities::identity::grant;
use entities::ids::UserId;
use secrecy::ExposeSecret;
use tokio::sync::Notify;

use super::blobs::Blobs;
use super::cache::{MemoryCache, RedisCache, SharedCache, SharedSets};
use super::capability::Capability;
use super::clock::Clock;
use super::config::{self, Config};
use super::crypto::Keys;
use super::db::Db;
use super::http::limits::RateLimits;
use super::wechat::push::PushSettings;
use super::wechat::{Settings as WeChatSettings, WeChat};

/// Handles to everything; a clone is cheap and shares all of it.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// The fields of [`AppState`].
#[allow(missing_docs, reason = "each type says it")]
pub struct Inner {
    pub config: Config,
    pub db: Db,
    pub cache: SharedCache,
    pub sets: SharedSets,
    pub clock: Clock,
    pub keys: Keys,
    pub wechat: WeChat,
    pub push: Option<PushSettings>,
    pub blobs: Blobs,
    pub rate_limits: RateLimits,
    pub capabilities: Vec<Capability>,
    /// Grants as read a few seconds ago; this process drops a person's when it changes them.
    pub grants: moka::sync::Cache<UserId, Arc<[grant::Model]>>,
    /// Wakes the worker of this process after a commit.
    pub work: Notify,
}

impl std::ops::Deref for AppState {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Why the state could not be set up.
pub type SetupError = Box<dyn std::error::Error + Send + Sync>;

impl AppState {
    /// Connects to what the settings name. The schema must be there.
    pub async fn new(config: Config, clock: Clock, capabilities: Vec<Capability>) -> Result<Self, SetupError> {
        let (cache, sets): (SharedCache, SharedSets) = if let Some(url) = &config.redis_url {
            let redis = Arc::new(RedisCache::new(url, &config.redis_prefix)?);
            (redis.clone(), redis)
        } else {
            let memory = Arc::new(MemoryCache::default());
            (memory.clone(), memory)
        };
        let wechat = &config.wechat;
        let secret = config::secret("wechat.secret", wechat.secret.as_ref(), wechat.secret_file.as_deref())?;
        let client = WeChat::new(
            WeChatSettings {
                base_url: wechat.base_url.clone(),
                appid: wechat.appid.clone(),
                secret,
                mini_program_state: wechat.mini_program_state.clone(),
                timeout: Duration::from_millis(wechat.timeout_ms),
            },
            cache.clone(),
            clock.clone(),
        )?;
        let push = if wechat.push_token.is_some() || wechat.push_token_file.is_some() {
            let token =
                config::secret("wechat.push_token", wechat.push_token.as_ref(), wechat.push_token_file.as_deref())?;
            let key = if wechat.encoding_aes_key.is_some() || wechat.encoding_aes_key_file.is_some() {
                let (value, file) = (wechat.encoding_aes_key.as_ref(), wechat.encoding_aes_key_file.as_deref());
                Some(config::secret("wechat.encoding_aes_key", value, file)?)
            } else {
                None
            };
            Some(PushSettings::new(
                token.expose_secret(),
                key.as_ref().map(ExposeSecret::expose_secret),
                &wechat.appid,
            )?)
        } else {
            None
        };
        Ok(Self(Arc::new(Inner {
            db: Db::connect(&config.database_url, config.database_connections).await?,
            cache,
            sets,
            clock,
            keys: Keys::load(&config.secrets)?,
            wechat: client,
            push,
            blobs: Blobs::open(&config.data_dir.join("files"))?,
            rate_limits: RateLimits::new(&config.limits),
            capabilities,
            grants: moka::sync::Cache::builder().max_capacity(100_000).time_to_live(Duration::from_secs(3)).build(),
            work: Notify::new(),
            config,
        })))
    }
}
