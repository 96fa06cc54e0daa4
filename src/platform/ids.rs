//! The only place that makes ids and random bytes.

use chrono::{DateTime, Utc};
use rand::Rng;
use uuid::Uuid;

use super::clock::Clock;

/// A time-ordered id (`UUIDv7`), for what may show when it was made. Ids sort in the order of making within a process.
pub fn ordered<T: From<Uuid>>(clock: &Clock) -> T {
    use std::sync::{LazyLock, Mutex};
    use uuid::{ContextV7, Timestamp};
    static CONTEXT: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));
    let now = clock.now();
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    let context = CONTEXT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos())).into()
}

/// An id without any order (`UUIDv4`), for what must not show when it was made, such as a secret ballot.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn unordered<T: From<Uuid>>() -> T {
    Uuid::new_v4().into()
}

/// Random bytes from the operating system's generator by way of a thread's.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// The same id for the same name every time (`UUIDv5`): for data that is put in again and again, such as the demo's. The first
/// bits are cleared: in lists, which go by id, such data is older than what people make later.
pub fn named<T: From<Uuid>>(name: &str) -> T {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6c69_6e6c_6900_4000_8000_0000_2017_0901);
    Uuid::from_u128(Uuid::new_v5(&NAMESPACE, name.as_bytes()).as_u128() & (u128::MAX >> 32)).into()
}

/// [`named`], but sorted among time-ordered ids as if it had been made at `at`, so that lists show it where it belongs.
pub fn named_at<T: From<Uuid>>(name: &str, at: DateTime<Utc>) -> T {
    let mut bytes = named::<Uuid>(name).into_bytes();
    let stamp = u64::try_from(at.timestamp_millis()).unwrap_or_default().to_be_bytes();
    for (byte, stamp) in bytes.iter_mut().zip(stamp.into_iter().skip(2)) {
        *byte = stamp;
    }
    uuid::Builder::from_bytes(bytes).with_version(uuid::Version::SortRand).into_uuid().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_id_can_stand_at_its_time() {
        let clock = Clock::default();
        let at = |days| clock.now() - chrono::TimeDelta::days(days);
        let then = at(1);
        let id: Uuid = named_at("a", then);
        assert_eq!(id, named_at::<Uuid>("a", then));
        assert_eq!(id.get_version_num(), 7);
        assert!(named_at::<Uuid>("b", at(2)) < id && id < ordered::<Uuid>(&clock));
        assert_ne!(id, named_at::<Uuid>("b", then));
    }
}
