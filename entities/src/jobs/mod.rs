//! Tables of `jobs`.

pub mod job;
pub mod schedule;
pub mod idempotency_key;

use crate::text_enum;

text_enum! {
    /// Where a job stands; a finished one is gone.
    pub enum JobState {
        Queued,
        Running,
        Parked,
    }
}
