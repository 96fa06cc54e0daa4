//! One suite for both caches. Redis is tried where `LINLI_TEST_REDIS_URL` names one (`scripts/test` does).

use std::sync::Arc;
use std::time::Duration;

use super::{Cache, MemoryCache, RedisCache};
use crate::platform::ids;

const LONG: Duration = Duration::from_mins(1);

fn caches() -> Vec<Arc<dyn Cache>> {
    let mut caches: Vec<Arc<dyn Cache>> = vec![Arc::new(MemoryCache::default())];
    if let Ok(url) = std::env::var("LINLI_TEST_REDIS_URL") {
        let prefix = format!("conformance:{}:", ids::unordered::<uuid::Uuid>());
        caches.push(Arc::new(RedisCache::new(&url, &prefix).expect("a Redis URL")));
    }
    caches
}

#[actix_web::test]
async fn a_value_is_kept_replaced_and_deleted() {
    for cache in caches() {
        assert_eq!(cache.get("k").await.unwrap(), None, "{}", cache.name());
        cache.set("k", "1", LONG).await.unwrap();
        cache.set("k", "2", LONG).await.unwrap();
        assert_eq!(cache.get("k").await.unwrap().as_deref(), Some("2"));
        cache.delete("k").await.unwrap();
        assert_eq!(cache.get("k").await.unwrap(), None);
    }
}

#[actix_web::test]
async fn set_if_absent_leaves_what_is_there() {
    for cache in caches() {
        assert!(cache.set_if_absent("k", "1", LONG).await.unwrap());
        assert!(!cache.set_if_absent("k", "2", LONG).await.unwrap());
        assert_eq!(cache.get("k").await.unwrap().as_deref(), Some("1"));
    }
}

#[actix_web::test]
async fn compare_operations_act_on_the_expected_value_only() {
    for cache in caches() {
        assert!(!cache.compare_and_set("k", "1", "2", LONG).await.unwrap(), "absent is not expected");
        cache.set("k", "1", LONG).await.unwrap();
        assert!(cache.compare_and_set("k", "1", "2", LONG).await.unwrap());
        assert!(!cache.compare_and_set("k", "1", "3", LONG).await.unwrap());
        assert!(!cache.compare_and_delete("k", "1").await.unwrap());
        assert!(cache.compare_and_delete("k", "2").await.unwrap());
        assert_eq!(cache.get("k").await.unwrap(), None);
    }
}

#[actix_web::test]
async fn an_expired_value_is_absent() {
    for cache in caches() {
        cache.set("k", "1", Duration::from_millis(30)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(cache.get("k").await.unwrap(), None, "{}", cache.name());
        assert!(cache.set_if_absent("k", "2", LONG).await.unwrap());
    }
}

#[actix_web::test]
async fn a_counter_counts_every_caller_and_keeps_its_first_deadline() {
    for cache in caches() {
        let calls = (0..100).map(|_| cache.increment("many", LONG));
        let mut counts: Vec<i64> = futures_util::future::try_join_all(calls).await.unwrap();
        counts.sort_unstable();
        assert_eq!(counts, (1..=100).collect::<Vec<_>>(), "{}", cache.name());

        cache.increment("n", Duration::from_millis(80)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(cache.increment("n", Duration::from_millis(80)).await.unwrap(), 2);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(
            cache.increment("n", LONG).await.unwrap(),
            1,
            "{}: the second increment moved the deadline",
            cache.name()
        );
    }
}

#[actix_web::test]
async fn of_many_compare_and_sets_one_wins() {
    for cache in caches() {
        cache.set("k", "0", LONG).await.unwrap();
        let values: Vec<String> = (1..=50).map(|n| n.to_string()).collect();
        let calls = values.iter().map(|value| cache.compare_and_set("k", "0", value, LONG));
        let won = futures_util::future::try_join_all(calls).await.unwrap();
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1, "{}", cache.name());
    }
}
