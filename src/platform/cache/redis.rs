//! The cache in Redis, shared by all processes.

use std::time::Duration;

use async_trait::async_trait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, ExistenceCheck, Script, SetExpiry, SetOptions};

use super::sorted_redis::Scripts;
use super::{Cache, CacheError};

const COMPARE_AND_SET: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return 0";

const COMPARE_AND_DELETE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0";

const INCREMENT: &str = r"
local count = redis.call('INCR', KEYS[1])
if count == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return count";

/// The cache in Redis.
pub struct RedisCache {
    connection: ConnectionManager,
    prefix: String,
    compare_and_set: Script,
    compare_and_delete: Script,
    increment: Script,
    pub(super) sorted: Scripts,
}

impl RedisCache {
    /// Connects lazily, so that a server starts while Redis is down; every key gets `prefix`.
    pub fn new(url: &str, prefix: &str) -> Result<Self, CacheError> {
        let limits = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(Duration::from_secs(1)))
            .set_number_of_retries(1);
        Ok(Self {
            connection: Client::open(url)?.get_connection_manager_lazy(limits)?,
            prefix: prefix.to_owned(),
            compare_and_set: Script::new(COMPARE_AND_SET),
            compare_and_delete: Script::new(COMPARE_AND_DELETE),
            increment: Script::new(INCREMENT),
            sorted: Scripts::default(),
        })
    }

    pub(super) fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }

    pub(super) fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

pub(super) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Result<Option<String>, CacheError> {
        Ok(self.connection.clone().get(self.key(key)).await?)
    }

    async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), CacheError> {
        let () = self.connection.clone().pset_ex(self.key(key), value, millis(ttl)).await?;
        Ok(())
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, CacheError> {
        let options =
            SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::PX(millis(ttl)));
        let set: Option<String> = self.connection.clone().set_options(self.key(key), value, options).await?;
        Ok(set.is_some())
    }

    async fn compare_and_set(&self, key: &str, expected: &str, value: &str, ttl: Duration) -> Result<bool, CacheError> {
        let mut connection = self.connection.clone();
        let mut call = self.compare_and_set.key(self.key(key));
        Ok(call.arg(expected).arg(value).arg(millis(ttl)).invoke_async(&mut connection).await?)
    }

    async fn compare_and_delete(&self, key: &str, expected: &str) -> Result<bool, CacheError> {
        let mut connection = self.connection.clone();
        Ok(self.compare_and_delete.key(self.key(key)).arg(expected).invoke_async(&mut connection).await?)
    }

    async fn delete(&self, key: &str) -> Result<(), CacheError> {
        let () = self.connection.clone().del(self.key(key)).await?;
        Ok(())
    }

    async fn increment(&self, key: &str, ttl: Duration) -> Result<i64, CacheError> {
        let mut connection = self.connection.clone();
        Ok(self.increment.key(self.key(key)).arg(millis(ttl)).invoke_async(&mut connection).await?)
    }

    async fn ping(&self) -> Result<(), CacheError> {
        let _: String = redis::cmd("PING").query_async(&mut self.connection.clone()).await?;
        Ok(())
    }

    fn name(&self) -> &'static str {
        "redis"
    }
}
