//! The only place that reads the time. Whoever needs it is handed a [`Clock`], so that a test or the demo can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, SubsecRound, Utc};

/// System time plus an offset that all clones share.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that follows the system and whose offset (milliseconds) somebody else may move too.
    pub fn with_offset(offset_ms: Arc<AtomicI64>) -> Self {
        Self { offset_ms }
    }

    /// Now, in whole microseconds: what PostgreSQL keeps, so that a time read back equals the one written.
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn now(&self) -> DateTime<Utc> {
        (Utc::now() + Duration::milliseconds(self.offset_ms.load(Ordering::Relaxed))).trunc_subsecs(6)
    }

    /// Moves this clock and every clone of it forward.
    pub fn advance(&self, by: Duration) {
        self.offset_ms.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}
