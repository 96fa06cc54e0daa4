//! Surveys: questions, pushes to doors, answers, figures.
//!
//! Staff write a survey and publish it; from then on its questions stand. Staff and building leaders *push* it to buildings: each
//! push adds the residents verified there to the survey's *audience*, a snapshot that gives the response rate its
//! denominator, and tells those who have not answered. Each person of the audience answers once.
//!
//! - `domain` knows which questions can be asked, which answers fit, and which figures may be shown.
//! - An anonymous response has a random id, no person and no time, and is a PUT, so that no idempotency key leaves a trace. What
//!   stays is the flag that somebody answered. The limit: who runs the database server and reads its log or its row versions
//!   can still see which flag and which response were written together.
//!
//! Locks, in this order: the survey (a push), then rows of the audience. A response locks its row of the audience only.

mod domain;
mod http;
mod rewards;
mod service;
mod statistics;
mod verify;

use std::time::Duration;

use futures_util::FutureExt;

use crate::platform::capability::{Capability, Schedule};

pub use entities::surveys::SurveyState;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "surveys",
        routes: Some(http::routes),
        schedules: vec![Schedule {
            name: "surveys.reward",
            every: Duration::from_hours(24),
            run: |state| async move { rewards::reward_anonymous(&state).await }.boxed_local(),
        }],
        explained: vec![(rewards::KIND, &rewards::Surveys)],
        verify: Some(|state| state.db.audit(&verify::RULES).boxed_local()),
        ..Capability::default()
    }
}
