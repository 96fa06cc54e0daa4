//! The cache in process: for the demo, a single server, and tests.

use std::time::Duration;

use async_trait::async_trait;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache as Moka;

use super::sorted_memory::Sets;
use super::{Cache, CacheError};

#[derive(Clone)]
struct Entry {
    value: String,
    ttl: Duration,
}

/// An entry lives as long as it says; a counter keeps the deadline of its first increment.
struct OwnTtl;

impl Expiry<String, Entry> for OwnTtl {
    fn expire_after_create(&self, _: &String, entry: &Entry, _: std::time::Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &String,
        entry: &Entry,
        _: std::time::Instant,
        left: Option<Duration>,
    ) -> Option<Duration> {
        if entry.ttl.is_zero() { left } else { Some(entry.ttl) }
    }
}

/// Marks an update that keeps the deadline.
const KEEP: Duration = Duration::ZERO;

/// The cache in process.
pub struct MemoryCache {
    entries: Moka<String, Entry>,
    pub(super) sorted: Sets,
}

impl Default for MemoryCache {
    fn default() -> Self {
        let entries = Moka::builder().max_capacity(1_000_000).expire_after(OwnTtl).build();
        Self { entries, sorted: Sets::default() }
    }
}

impl MemoryCache {
    /// Replaces a value if it is the expected one.
    pub(super) fn replace(&self, key: &str, expected: &str, value: &str, ttl: Duration) -> bool {
        let mut done = false;
        self.entries.entry(key.to_owned()).and_compute_with(|held| {
            done = held.is_some_and(|held| held.into_value().value == expected);
            if done { Op::Put(Entry { value: value.to_owned(), ttl }) } else { Op::Nop }
        });
        done
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Result<Option<String>, CacheError> {
        Ok(self.entries.get(key).map(|entry| entry.value))
    }

    async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), CacheError> {
        self.entries.insert(key.to_owned(), Entry { value: value.to_owned(), ttl });
        Ok(())
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, CacheError> {
        let entry = Entry { value: value.to_owned(), ttl };
        Ok(self.entries.entry(key.to_owned()).or_insert(entry).is_fresh())
    }

    async fn compare_and_set(&self, key: &str, expected: &str, value: &str, ttl: Duration) -> Result<bool, CacheError> {
        Ok(self.replace(key, expected, value, ttl))
    }

    async fn compare_and_delete(&self, key: &str, expected: &str) -> Result<bool, CacheError> {
        let mut done = false;
        self.entries.entry(key.to_owned()).and_compute_with(|held| {
            done = held.is_some_and(|held| held.into_value().value == expected);
            if done { Op::Remove } else { Op::Nop }
        });
        Ok(done)
    }

    async fn delete(&self, key: &str) -> Result<(), CacheError> {
        self.entries.invalidate(key);
        self.sorted.delete(key);
        Ok(())
    }

    async fn increment(&self, key: &str, ttl: Duration) -> Result<i64, CacheError> {
        let mut count = 1;
        self.entries.entry(key.to_owned()).and_upsert_with(|held| match held {
            Some(held) => {
                count = held.into_value().value.parse().unwrap_or(0_i64).saturating_add(1);
                Entry { value: count.to_string(), ttl: KEEP }
            }
            None => Entry { value: "1".to_owned(), ttl },
        });
        Ok(count)
    }

    async fn ping(&self) -> Result<(), CacheError> {
        Ok(())
    }

    fn name(&self) -> &'static str {
        "memory"
    }
}
