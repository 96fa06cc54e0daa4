//! Short-lived shared state that can be lost: sessions, the WeChat token, counters. Redis, or in process without it.
//!
//! Both pass the same conformance tests (`conformance.rs`): every operation is atomic, absent and expired are the same.

mod memory;
mod redis;
mod sorted;
mod sorted_memory;
mod sorted_redis;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod conformance_sorted;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use memory::MemoryCache;
pub use redis::RedisCache;
pub use sorted::{Change, Lease, Near, Seen, SortedSets, View, Written};

/// The cache cannot be reached; whoever asked decides whether they can go on without it.
#[derive(Debug, thiserror::Error)]
#[error("cache unavailable: {0}")]
pub struct CacheError(#[from] ::redis::RedisError);

/// What Linli asks of a cache.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The value, unless it is absent or expired.
    async fn get(&self, key: &str) -> Result<Option<String>, CacheError>;
    /// Stores a value for `ttl`, replacing what was there.
    async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), CacheError>;
    /// Stores a value only where there is none; says whether it did.
    async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, CacheError>;
    /// Replaces `expected` by `value`; says whether it did. Nothing happens when the value is another one or absent.
    async fn compare_and_set(&self, key: &str, expected: &str, value: &str, ttl: Duration) -> Result<bool, CacheError>;
    /// Deletes the key if it holds `expected`; says whether it did.
    async fn compare_and_delete(&self, key: &str, expected: &str) -> Result<bool, CacheError>;
    /// Deletes the key.
    async fn delete(&self, key: &str) -> Result<(), CacheError>;
    /// Adds one to a counter that starts at 0 and lives for `ttl` from its first increment; gives the new count.
    async fn increment(&self, key: &str, ttl: Duration) -> Result<i64, CacheError>;
    /// Whether the cache answers.
    async fn ping(&self) -> Result<(), CacheError>;
    /// `redis` or `memory`, for `/health/ready`.
    fn name(&self) -> &'static str;
}

/// A cache that anybody may hold.
pub type SharedCache = Arc<dyn Cache>;
/// Its sorted sets.
pub type SharedSets = Arc<dyn SortedSets>;
