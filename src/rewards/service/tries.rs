//! How often a clerk may be wrong. A code cannot be guessed in any number of tries that a server answers; this makes the
//! trying itself short, and shows in the log.

use std::time::Duration;

use entities::ids::UserId;

use crate::platform::code::Code;
use crate::platform::http::Problem;
use crate::platform::state::AppState;

/// So many wrong codes in a [`SPAN`]; who mistypes needs two or three.
pub(in crate::rewards) const MOST: i64 = 20;
/// Counted from the first wrong one.
const SPAN: Duration = Duration::from_mins(10);

fn key(clerk: UserId) -> String {
    format!("pickup-tries:{clerk}")
}

/// 429 for who was wrong too often. Without a cache nobody is: a counter that cannot be read keeps no gift from its owner.
pub(in crate::rewards) async fn check(state: &AppState, clerk: UserId) -> Result<(), Problem> {
    let tries = match state.cache.get(&key(clerk)).await {
        Ok(tries) => tries.and_then(|tries| tries.parse().ok()).unwrap_or(0),
        Err(error) => {
            tracing::warn!(%error, "wrong pickup codes are not counted");
            0
        }
    };
    if tries < MOST {
        return Ok(());
    }
    let seconds = u32::try_from(SPAN.as_secs()).unwrap_or(u32::MAX);
    Err(Problem::new(Code::RateLimited, "错误的核销码过多 / too many wrong codes").retry_after(seconds))
}

/// Counts a wrong code.
pub(in crate::rewards) async fn count(state: &AppState, clerk: UserId) {
    match state.cache.increment(&key(clerk), SPAN).await {
        Ok(MOST) => tracing::warn!(%clerk, "a clerk tried too many wrong pickup codes"),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "a wrong pickup code was not counted"),
    }
}
