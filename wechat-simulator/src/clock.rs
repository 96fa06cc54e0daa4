//! The simulator's time: the system's, moved forward as far as a test or a demo asks for.
//!
//! Every expiry in this crate is taken from here, so a test can let a login code, a token or a day's quota run out
//! without sleeping. The clock is shared by cloning it; give the same one to the backend under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// A hundred years: far enough for any demo, near enough that adding an expiry never overflows.
const FURTHEST_MS: i64 = 100 * 365 * 86_400_000;

/// A clock that runs with the system's and can be moved forward. Clones share one offset.
#[derive(Clone, Debug, Default)]
pub struct SharedClock {
    offset_ms: Arc<AtomicI64>,
}

impl SharedClock {
    /// A clock that shows the system's time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time the clock shows.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place of this crate that reads the system's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset_ms.load(Ordering::Relaxed))
    }

    /// What all clones share, milliseconds over the system's time: for a backend that has a clock of its own.
    #[must_use]
    pub fn offset_ms(&self) -> Arc<AtomicI64> {
        Arc::clone(&self.offset_ms)
    }

    /// Moves the clock forward, at most a hundred years in all.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(FURTHEST_MS);
        // The closure always answers `Some`, so the update cannot fail.
        let _ = self.offset_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |offset| {
            Some(offset.saturating_add(by).min(FURTHEST_MS))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_move_together_and_never_overflow() {
        let clock = SharedClock::new();
        let twin = clock.clone();
        let before = twin.now();
        clock.advance(Duration::from_hours(2));
        assert!(twin.now() - before >= TimeDelta::hours(2));
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        let _still_room_for_an_expiry = twin.now() + TimeDelta::days(30);
    }
}
