//! WeChat's limits per minute and per day.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::errcode::Errcode;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    Login(String),
    Text,
    TextOfDay,
    Media,
    MediaOfDay,
    Code,
    Link,
}

impl Counted {
    /// How many, in what window of seconds, and the answer to one too many.
    fn limit(&self) -> (u32, i64, Errcode) {
        const MINUTE: i64 = 60;
        const DAY: i64 = 86_400;
        match self {
            Self::Login(_) => (100, MINUTE, Errcode::MINUTE_QUOTA),
            Self::Text => (4_000, MINUTE, Errcode::CHECKS_PER_MINUTE),
            Self::TextOfDay => (2_000_000, DAY, Errcode::DAILY_QUOTA),
            Self::Media => (2_000, MINUTE, Errcode::CHECKS_PER_MINUTE),
            Self::MediaOfDay => (200_000, DAY, Errcode::DAILY_QUOTA),
            Self::Code => (5_000, MINUTE, Errcode::MINUTE_QUOTA),
            Self::Link => (500_000, DAY, Errcode::LINKS_PER_DAY),
        }
    }
}

/// China's calendar and minutes: windows do not slide, they start anew.
pub(crate) fn window(now: DateTime<Utc>, seconds: i64) -> i64 {
    (now + TimeDelta::hours(8)).timestamp().div_euclid(seconds)
}

#[derive(Debug, Default)]
pub(crate) struct Rates {
    counts: HashMap<Counted, (i64, u32)>,
}

impl Rates {
    pub(crate) fn hit(&mut self, counted: Counted, now: DateTime<Utc>) -> Result<(), Errcode> {
        let (most, seconds, refusal) = counted.limit();
        let current = window(now, seconds);
        let (of, count) = self.counts.entry(counted).or_insert((current, 0));
        if *of != current {
            (*of, *count) = (current, 0);
        }
        if *count >= most {
            return Err(refusal);
        }
        *count += 1;
        Ok(())
    }
}
