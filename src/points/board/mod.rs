//! Leaderboards: `points_scores` is what people earned ([`scores`], written with the award itself), and a board is read from a
//! sorted set that follows it ([`set`], [`keep`]), or from the rows while there is none ([`rows`]). Both give the same answer:
//! points descending, then who reached them first, then ids; 1, 2, 2, 4; nobody who opted out.
//!
//! **Why a set is right.** Each row counts its changes (`version`, by the award, the reversal, or the trigger on
//! `users.board_opt_out`) and notes the change that the set was told (`boarded`). A keeper tells changes: it takes the board's
//! lease, reads changed rows, writes their absolute scores, and only then notes the version it had read, never a later one.
//! 1. *Nothing is lost.* A keeper that dies between two steps leaves the row untold, and the next tells it.
//! 2. *Nothing stale stays.* Each write names its lease, and the cache refuses it once the lease is another's. So writes
//!    come from one keeper after the other, each keeper's in the order of its reads, all made since it took the lease: no write
//!    carries an older reading than one before it. Notes only rise.
//! 3. *A rebuild loses nothing.* It runs under the same lease: no change is told meanwhile, and those that its reading missed
//!    are still untold afterwards.
//! 4. *Nobody sees half a board.* A rebuild fills a set of its own name, which takes the board's place in one step if the lease
//!    is still held and the set has as many members as were put in.
//!
//! A set in this process ([`SortedSets::is_shared`] says no) is kept by its readers, because no worker sees it.

mod compare;
pub mod domain;
pub(super) mod http;
mod keep;
mod rows;
mod scores;
mod set;

use std::time::Duration;

use entities::ids::{PlaceId, UserId};
use futures_util::FutureExt;
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::domain::Period;
use crate::platform::cache::CacheError;
use crate::platform::calendar;
use crate::platform::capability::{JobHandler, Schedule};
use crate::platform::http::Problem;
use crate::platform::jobs::JobError;
use crate::platform::state::AppState;

pub use compare::verify;
pub use keep::{check, rebuild, tell};
pub use rows::read as read_rows;
pub use scores::lower_scores;
pub(super) use scores::raise;
pub use set::{Found, read as read_set};

/// So many before and after oneself.
const AROUND: usize = 3;

/// A leaderboard.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Board {
    period: Period,
    /// The first ones.
    items: Vec<Line>,
    /// Oneself; absent for who earned nothing in the period or opted out.
    me: Option<Standing>,
    /// The three before and the three after oneself.
    neighbours: Vec<Line>,
}

/// Somebody on the board.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Line {
    rank: i64,
    /// Masked: `王**`.
    name: String,
    points: i64,
}

/// Where one stands oneself.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Standing {
    rank: i64,
    points: i64,
}

/// Which board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Whose.
    pub community: PlaceId,
    /// [`Period::key`].
    pub period: String,
}

impl Name {
    /// The board of a period that is now.
    pub fn now(state: &AppState, community: PlaceId, period: Period) -> Self {
        Self { community, period: period.key(calendar::day(state.clock.now())) }
    }

    /// The sorted set's key in the cache.
    pub fn key(&self) -> String {
        format!("board:{}:{}", self.community, self.period)
    }
}

/// Why a sorted set could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// See [`keep::ask`].
pub(super) const REBUILD: (&str, JobHandler) = ("points.board", |state, payload| {
    async move {
        match rebuild(&state, &serde_json::from_value(payload)?).await {
            Ok(_) => Ok(()),
            Err(Failure::Database(error)) => Err(error.into()),
            // While the cache is away nobody needs the set; whoever misses it later asks again.
            Err(Failure::Cache(error)) => {
                tracing::warn!(%error, "a board was not rebuilt");
                Ok(())
            }
        }
    }
    .boxed_local()
});

fn recurring(done: Result<(), Failure>) -> Result<(), JobError> {
    done.map_err(|error| JobError::Retry(error.to_string()))
}

/// What recurs: to tell what changed, and to look for what differs nevertheless.
pub(super) const SCHEDULES: [Schedule; 2] = [
    Schedule {
        name: "points.boards",
        every: Duration::from_secs(1),
        run: |state| async move { recurring(tell(&state).await) }.boxed_local(),
    },
    Schedule {
        name: "points.boards_check",
        every: Duration::from_mins(10),
        run: |state| async move { recurring(check(&state).await) }.boxed_local(),
    },
];

/// The board of a community for the period that is now.
pub async fn read(
    state: &AppState,
    community: PlaceId,
    period: Period,
    viewer: UserId,
    limit: usize,
) -> Result<Board, Problem> {
    let name = Name::now(state, community, period);
    let found = match read_set(state, &name, period, viewer, limit).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "a board's sorted set cannot be read");
            Found::Stale
        }
    };
    let from = if matches!(found, Found::Board(_)) { "set" } else { "rows" };
    metrics::counter!("linli_boards_read_total", "from" => from).increment(1);
    match found {
        Found::Board(board) => return Ok(board),
        Found::Missing => keep::ask(state, &name).await,
        Found::Stale => {}
    }
    read_rows(state, &name, period, viewer, limit).await
}
