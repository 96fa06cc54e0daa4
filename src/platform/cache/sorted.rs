//! Sorted sets, for leaderboards: ids in ascending order of (score, bytes of the id).
//!
//! Scores are whole and below 2^53, which is what Redis' doubles hold exactly. Who writes holds a [`Lease`], and every write
//! names it: a holder whose time is over is refused by the cache itself, at the moment of the write.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::CacheError;

/// A value of the cache ([`super::Cache::set_if_absent`]) that says who may write; each write makes it last for `ttl` again.
#[derive(Clone, Copy, Debug)]
pub struct Lease<'a> {
    /// Where it stands.
    pub key: &'a str,
    /// What the holder put there.
    pub token: &'a str,
    /// How long it lasts from now on.
    pub ttl: Duration,
}

/// What to write into a set.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Members with their scores, which replace earlier ones.
    pub put: Vec<(Uuid, u64)>,
    /// Members to take out.
    pub remove: Vec<Uuid>,
    /// Whether a set that is not there is made. It lasts as long as the lease; see [`SortedSets::sorted_publish`].
    pub create: bool,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Everything is written.
    Done,
    /// There is no such set, and nothing is written.
    Absent,
    /// Somebody else holds the lease, or nobody; nothing is written.
    NotHolder,
}

/// What to look at.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// So many of the first.
    pub first: usize,
    /// This one …
    pub member: Uuid,
    /// … and as many on each side of it.
    pub around: usize,
    /// Scores are of one group when they are equal after division by this.
    pub group: u64,
}

/// What one moment showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The first ones with their scores.
    pub first: Vec<(Uuid, u64)>,
    /// The member and those around it; nothing if it is not in the set.
    pub near: Vec<Near>,
}

/// A member of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Who.
    pub member: Uuid,
    /// With which score.
    pub score: u64,
    /// How many members stand in groups before this one's.
    pub before: u64,
}

/// What Linli asks of sorted sets. Every operation is atomic; a set that is absent or expired is `None`.
#[async_trait]
pub trait SortedSets: Send + Sync {
    /// The first ones, a member, and those around it: one round trip.
    async fn sorted_view(&self, key: &str, view: View) -> Result<Option<Seen>, CacheError>;
    /// How many members there are.
    async fn sorted_len(&self, key: &str) -> Result<Option<u64>, CacheError>;
    /// The members' scores, in their order.
    async fn sorted_scores(&self, key: &str, members: &[Uuid]) -> Result<Option<Vec<Option<u64>>>, CacheError>;
    /// Writes for the holder of a lease.
    async fn sorted_write(&self, key: &str, change: &Change, lease: Lease<'_>) -> Result<Written, CacheError>;
    /// Puts the set `from` in the place of `to`, where it lasts for `ttl`, if the lease is held and it has exactly `len`
    /// members; otherwise deletes it. Says which.
    async fn sorted_publish(
        &self,
        from: &str,
        to: &str,
        len: u64,
        ttl: Duration,
        lease: Lease<'_>,
    ) -> Result<bool, CacheError>;
    /// Whether other processes see the same sets.
    fn is_shared(&self) -> bool;
}
