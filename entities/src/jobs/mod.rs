//! Tables of `jobs`.

pub mod idempotency_key;
pub mod job;
pub mod schedule;

use crate::text_enum;

text_enum! {
    /// Where a job stands; a finished one is gone.
    pub enum JobState {
        Queued,
        Running,
        Parked,
    }
}
