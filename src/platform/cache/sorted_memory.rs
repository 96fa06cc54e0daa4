//! Sorted sets in process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use uuid::Uuid;

use super::CacheError;
use super::memory::MemoryCache;
use super::sorted::{Change, Lease, Near, Seen, SortedSets, View, Written};

/// A block has at most so many members: a rank is the sum of some thousand lengths for a million members.
const BLOCK: usize = 512;

type Entry = (u64, Uuid);

/// Members in order, cut into blocks, none of which is empty.
#[derive(Default)]
struct Sorted {
    blocks: Vec<Vec<Entry>>,
    scores: HashMap<Uuid, u64>,
    until: Option<Instant>,
}

impl Sorted {
    /// The block that an entry stands in or belongs into.
    fn block(&self, entry: Entry) -> usize {
        self.blocks.partition_point(|block| block.first().is_some_and(|first| *first <= entry)).saturating_sub(1)
    }

    fn put(&mut self, member: Uuid, score: u64) {
        self.remove(member);
        self.scores.insert(member, score);
        let entry = (score, member);
        let at = self.block(entry);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(vec![entry]);
            return;
        };
        let place = block.partition_point(|other| *other < entry);
        block.insert(place, entry);
        if block.len() > BLOCK {
            let second = block.split_off(BLOCK / 2);
            self.blocks.insert(at + 1, second);
        }
    }

    fn remove(&mut self, member: Uuid) {
        let Some(score) = self.scores.remove(&member) else { return };
        let at = self.block((score, member));
        let Some(block) = self.blocks.get_mut(at) else { return };
        block.retain(|entry| entry.1 != member);
        if block.is_empty() {
            self.blocks.remove(at);
        }
    }

    /// How many entries stand before this one.
    fn rank(&self, entry: Entry) -> usize {
        let at = self.block(entry);
        let before: usize = self.blocks.iter().take(at).map(Vec::len).sum();
        before + self.blocks.get(at).map_or(0, |block| block.partition_point(|other| *other < entry))
    }

    fn range(&self, from: usize, count: usize) -> Vec<Entry> {
        let mut skip = from;
        let mut found = Vec::with_capacity(count.min(self.scores.len()));
        for block in &self.blocks {
            if skip >= block.len() {
                skip -= block.len();
                continue;
            }
            found.extend(block.iter().skip(skip).take(count - found.len()));
            skip = 0;
            if found.len() == count {
                break;
            }
        }
        found
    }

    fn view(&self, view: View) -> Seen {
        let first = self.range(0, view.first).into_iter().map(|(score, member)| (member, score)).collect();
        let Some(score) = self.scores.get(&view.member) else { return Seen { first, near: Vec::new() } };
        let rank = self.rank((*score, view.member));
        let from = rank.saturating_sub(view.around);
        let near = self.range(from, rank - from + 1 + view.around).into_iter().map(|(score, member)| {
            let before = self.rank((score - score % view.group.max(1), Uuid::nil()));
            Near { member, score, before: u64::try_from(before).unwrap_or(u64::MAX) }
        });
        Seen { first, near: near.collect() }
    }

    fn lives(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

/// All sorted sets of a process.
#[derive(Default)]
pub(super) struct Sets(Mutex<HashMap<String, Sorted>>);

impl Sets {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Sorted>> {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // There are few.
        sets.retain(|_, set| set.lives());
        sets
    }

    pub(super) fn delete(&self, key: &str) {
        self.lock().remove(key);
    }
}

impl MemoryCache {
    /// Whether the lease is held; it then lasts longer. Asked while the sets are locked: whoever takes the lease afterwards
    /// also writes afterwards.
    fn holds(&self, lease: Lease<'_>) -> bool {
        self.replace(lease.key, lease.token, lease.token, lease.ttl)
    }
}

#[async_trait]
impl SortedSets for MemoryCache {
    async fn sorted_view(&self, key: &str, view: View) -> Result<Option<Seen>, CacheError> {
        Ok(self.sorted.lock().get(key).map(|set| set.view(view)))
    }

    async fn sorted_len(&self, key: &str) -> Result<Option<u64>, CacheError> {
        let len = self.sorted.lock().get(key).map(|set| set.scores.len());
        Ok(len.filter(|len| *len > 0).map(|len| u64::try_from(len).unwrap_or(u64::MAX)))
    }

    async fn sorted_scores(&self, key: &str, members: &[Uuid]) -> Result<Option<Vec<Option<u64>>>, CacheError> {
        let sets = self.sorted.lock();
        Ok(sets.get(key).map(|set| members.iter().map(|member| set.scores.get(member).copied()).collect()))
    }

    async fn sorted_write(&self, key: &str, change: &Change, lease: Lease<'_>) -> Result<Written, CacheError> {
        let mut sets = self.sorted.lock();
        if !self.holds(lease) {
            return Ok(Written::NotHolder);
        }
        if change.create {
            sets.entry(key.to_owned()).or_default().until = Some(Instant::now() + lease.ttl);
        }
        let Some(set) = sets.get_mut(key) else { return Ok(Written::Absent) };
        for (member, score) in &change.put {
            set.put(*member, *score);
        }
        for member in &change.remove {
            set.remove(*member);
        }
        if set.scores.is_empty() {
            // As in Redis.
            sets.remove(key);
        }
        Ok(Written::Done)
    }

    async fn sorted_publish(
        &self,
        from: &str,
        to: &str,
        len: u64,
        ttl: Duration,
        lease: Lease<'_>,
    ) -> Result<bool, CacheError> {
        let mut sets = self.sorted.lock();
        let holds = self.holds(lease);
        let complete = |set: &Sorted| u64::try_from(set.scores.len()).is_ok_and(|found| found == len);
        let Some(mut set) = sets.remove(from).filter(|set| holds && complete(set)) else { return Ok(false) };
        set.until = Some(Instant::now() + ttl);
        sets.insert(to.to_owned(), set);
        Ok(true)
    }

    fn is_shared(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_sorted_list(steps in proptest::collection::vec((0_u128..2_000, 0_u64..300, any::<bool>()), 1..4_000)) {
            let mut set = Sorted::default();
            let mut model = BTreeSet::new();
            for (member, score, put) in steps {
                let member = Uuid::from_u128(member);
                model.retain(|entry: &Entry| entry.1 != member);
                if put {
                    set.put(member, score);
                    model.insert((score, member));
                } else {
                    set.remove(member);
                }
            }
            let model: Vec<Entry> = model.into_iter().collect();
            prop_assert_eq!(set.range(0, model.len() + 1), model.clone());
            prop_assert!(set.blocks.iter().all(|block| !block.is_empty() && block.len() <= BLOCK));
            for (rank, entry) in model.iter().enumerate().step_by(37) {
                prop_assert_eq!(set.rank(*entry), rank);
                prop_assert_eq!(set.range(rank, 3), model[rank..(rank + 3).min(model.len())].to_vec());
            }
        }
    }
}
