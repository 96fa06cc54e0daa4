//! One suite for the sorted sets of both caches, as `conformance.rs` is for values.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{Cache, Change, Lease, MemoryCache, Near, RedisCache, SortedSets, View, Written};
use crate::platform::ids;

const LONG: Duration = Duration::from_mins(1);
const LEASE: Lease<'static> = Lease { key: "lease", token: "mine", ttl: LONG };
const GROUP: u64 = 1 << 29;

struct Pair {
    values: Arc<dyn Cache>,
    sets: Arc<dyn SortedSets>,
}

/// Both caches, each with the lease taken.
async fn caches() -> Vec<Pair> {
    let memory = Arc::new(MemoryCache::default());
    let mut caches = vec![Pair { values: memory.clone(), sets: memory }];
    if let Ok(url) = std::env::var("LINLI_TEST_REDIS_URL") {
        let prefix = format!("conformance:{}:", ids::unordered::<Uuid>());
        let redis = Arc::new(RedisCache::new(&url, &prefix).expect("a Redis URL"));
        caches.push(Pair { values: redis.clone(), sets: redis });
    }
    for cache in &caches {
        cache.values.set(LEASE.key, LEASE.token, LONG).await.unwrap();
    }
    caches
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn put(put: &[(u128, u64)], create: bool) -> Change {
    Change { put: put.iter().map(|(member, score)| (id(*member), *score)).collect(), remove: Vec::new(), create }
}

fn remove(remove: &[u128]) -> Change {
    Change { remove: remove.iter().map(|member| id(*member)).collect(), ..Change::default() }
}

fn view(member: u128) -> View {
    View { first: 10, member: id(member), around: 1, group: GROUP }
}

async fn scores(sets: &dyn SortedSets, members: &[u128]) -> Option<Vec<Option<u64>>> {
    sets.sorted_scores("s", &members.iter().map(|member| id(*member)).collect::<Vec<_>>()).await.unwrap()
}

#[actix_web::test]
async fn an_absent_set_is_none_and_is_made_only_when_asked_for() {
    for Pair { values, sets } in caches().await {
        assert_eq!(sets.sorted_view("s", view(1)).await.unwrap(), None, "{}", values.name());
        assert_eq!(sets.sorted_len("s").await.unwrap(), None);
        assert_eq!(scores(&*sets, &[1]).await, None);
        assert_eq!(sets.sorted_write("s", &put(&[(1, 5)], false), LEASE).await.unwrap(), Written::Absent);
        assert_eq!(sets.sorted_len("s").await.unwrap(), None);
        assert_eq!(sets.sorted_write("s", &put(&[(1, 5)], true), LEASE).await.unwrap(), Written::Done);
        assert_eq!(sets.sorted_write("s", &put(&[(2, 6), (1, 7)], false), LEASE).await.unwrap(), Written::Done);
        assert_eq!(scores(&*sets, &[1, 2, 3]).await, Some(vec![Some(7), Some(6), None]));
        assert_eq!(scores(&*sets, &[]).await, Some(vec![]));
        // Without members there is no set.
        assert_eq!(sets.sorted_write("s", &remove(&[1, 2, 3]), LEASE).await.unwrap(), Written::Done);
        assert_eq!(sets.sorted_len("s").await.unwrap(), None);
        sets.sorted_write("s", &put(&[(1, 5)], true), LEASE).await.unwrap();
        values.delete("s").await.unwrap();
        assert_eq!(sets.sorted_len("s").await.unwrap(), None);
    }
}

// Guard: the comparison of the token in both scripts, and `holds`.
#[actix_web::test]
async fn only_the_holder_of_the_lease_writes() {
    for Pair { values, sets } in caches().await {
        sets.sorted_write("s", &put(&[(1, 5)], true), LEASE).await.unwrap();
        let late = Lease { token: "another's", ..LEASE };
        assert_eq!(sets.sorted_write("s", &put(&[(1, 9)], false), late).await.unwrap(), Written::NotHolder);
        assert!(!sets.sorted_publish("s", "t", 1, LONG, late).await.unwrap(), "{}", values.name());
        assert_eq!(sets.sorted_len("t").await.unwrap(), None);
        values.delete(LEASE.key).await.unwrap();
        assert_eq!(sets.sorted_write("s", &put(&[(1, 9)], true), LEASE).await.unwrap(), Written::NotHolder);
        assert!(sets.sorted_len("s").await.unwrap().is_none(), "what could not be published is gone");
    }
}

#[actix_web::test]
async fn a_write_makes_the_lease_last_and_a_set_that_was_made_lasts_as_long() {
    for Pair { values, sets } in caches().await {
        let short = Lease { ttl: Duration::from_millis(400), ..LEASE };
        values.set(short.key, short.token, Duration::from_millis(250)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(sets.sorted_write("s", &put(&[(1, 5)], true), short).await.unwrap(), Written::Done);
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert!(values.get(short.key).await.unwrap().is_some(), "{}: the first deadline is over", values.name());
        tokio::time::sleep(Duration::from_millis(350)).await;
        assert_eq!((values.get(short.key).await.unwrap(), sets.sorted_len("s").await.unwrap()), (None, None));
    }
}

// Guard: the comparison of the number of members in the script: without it half a set would be published.
#[actix_web::test]
async fn a_set_is_published_only_if_it_is_complete() {
    for Pair { values, sets } in caches().await {
        sets.sorted_write("s", &put(&[(1, 5), (2, 6)], true), LEASE).await.unwrap();
        assert!(sets.sorted_publish("s", "board", 2, LONG, LEASE).await.unwrap());
        assert_eq!((sets.sorted_len("s").await.unwrap(), sets.sorted_len("board").await.unwrap()), (None, Some(2)));
        // A flush in the middle of the next: its second half makes a set of its own.
        sets.sorted_write("s", &put(&[(1, 5), (2, 6)], true), LEASE).await.unwrap();
        values.delete("s").await.unwrap();
        sets.sorted_write("s", &put(&[(3, 7)], true), LEASE).await.unwrap();
        assert!(!sets.sorted_publish("s", "board", 3, LONG, LEASE).await.unwrap(), "{}", values.name());
        assert_eq!((sets.sorted_len("s").await.unwrap(), sets.sorted_len("board").await.unwrap()), (None, Some(2)));
        assert!(!sets.sorted_publish("s", "board", 0, LONG, LEASE).await.unwrap(), "an absent set");
        assert_eq!(sets.sorted_len("board").await.unwrap(), Some(2));
        sets.sorted_write("s", &put(&[(3, 7)], true), LEASE).await.unwrap();
        assert!(sets.sorted_publish("s", "board", 1, Duration::from_millis(50), LEASE).await.unwrap());
        assert_eq!(sets.sorted_len("board").await.unwrap(), Some(1));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(sets.sorted_len("board").await.unwrap(), None);
    }
}

#[actix_web::test]
async fn a_view_shows_the_first_and_those_around_with_the_size_of_the_groups_before() {
    for Pair { values, sets } in caches().await {
        // Groups 0, 1, 1, 3, and the last whole number that a double holds; equal scores stand by the bytes of their ids.
        let last = (1 << 53) - 1;
        let all = [(9, 4), (0xff00, GROUP), (0x00ff, GROUP), (7, 3 * GROUP + 1), (1, last)];
        sets.sorted_write("s", &put(&all, true), LEASE).await.unwrap();
        let seen = sets.sorted_view("s", view(0xff00)).await.unwrap().unwrap();
        let first = [(9, 4), (0x00ff, GROUP), (0xff00, GROUP), (7, 3 * GROUP + 1), (1, last)];
        assert_eq!(seen.first, first.map(|(member, score)| (id(member), score)), "{}", values.name());
        let near = |member, score, before| Near { member: id(member), score, before };
        let around = [near(0x00ff, GROUP, 1), near(0xff00, GROUP, 1), near(7, 3 * GROUP + 1, 3)];
        assert_eq!(seen.near, around);
        let ends = sets.sorted_view("s", View { first: 1, around: 3, ..view(9) }).await.unwrap().unwrap();
        assert_eq!((ends.first.len(), ends.near.len(), ends.near[0]), (1, 4, near(9, 4, 0)));
        let end = sets.sorted_view("s", view(1)).await.unwrap().unwrap();
        assert_eq!(end.near, [near(7, 3 * GROUP + 1, 3), near(1, last, 4)]);
        assert!(sets.sorted_view("s", view(77)).await.unwrap().unwrap().near.is_empty());
    }
}

#[actix_web::test]
async fn any_steps_leave_what_a_list_would() {
    let mut chance = 7_u64;
    let mut next = move |below: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % below
    };
    let mut model: BTreeSet<(u64, Uuid)> = BTreeSet::new();
    let caches = caches().await;
    let many = |len: usize| u64::try_from(len).unwrap();
    for step in 0..60 {
        let mut change = Change { create: true, ..Change::default() };
        // The first is longer than a slice of the script.
        for _ in 0..if step == 0 { 5_000 } else { next(40) } {
            let (member, score) = (id(next(3_000).into()), next(40) * GROUP + next(3));
            model.retain(|entry| entry.1 != member);
            change.put.retain(|entry| entry.0 != member);
            change.put.push((member, score));
            model.insert((score, member));
        }
        for _ in 0..next(40) {
            let member = id(next(3_000).into());
            model.retain(|entry| entry.1 != member);
            change.remove.push(member);
        }
        let entries: Vec<_> = model.iter().copied().collect();
        let at = usize::try_from(next(many(entries.len()))).unwrap();
        let (from, to) = (at.saturating_sub(3), (at + 4).min(entries.len()));
        let near: Vec<Near> = entries[from..to]
            .iter()
            .map(|(score, member)| {
                let before = many(entries.iter().filter(|other| other.0 / GROUP < score / GROUP).count());
                Near { member: *member, score: *score, before }
            })
            .collect();
        let first: Vec<_> = entries.iter().take(20).map(|(score, member)| (*member, *score)).collect();
        for Pair { values, sets } in &caches {
            assert_eq!(sets.sorted_write("s", &change, LEASE).await.unwrap(), Written::Done);
            let ask = View { first: 20, member: entries[at].1, around: 3, group: GROUP };
            let seen = sets.sorted_view("s", ask).await.unwrap().unwrap();
            assert_eq!((&seen.first, &seen.near), (&first, &near), "{} after step {step}", values.name());
            assert_eq!(sets.sorted_len("s").await.unwrap(), Some(many(entries.len())));
        }
    }
}

#[test]
fn scores_are_read_as_any_redis_writes_them() {
    let whole = |text: &str| super::sorted_redis::whole(text.as_bytes()).ok();
    assert_eq!(whole("9007199254740991"), Some((1 << 53) - 1));
    assert_eq!(whole("4.503599627370496e+15"), Some(1 << 52));
    assert_eq!((whole("0"), whole("nan"), whole("-1"), whole("")), (Some(0), None, None, None));
}
