//! What a community publishes about itself each month: volunteers' minutes, points, gifts, people active; and what its places ask.
//!
//! - Ten minutes after a month of China's calendar is over, a summary is made of it, once a community ([`service::make_due`]).
//!   It is a notice on the board that carries the hash of a CSV file, and the file stands beside it. Neither ever changes.
//! - Everything in it is derived from the ledger, sign-ups and redemptions ([`derive`]), and `verify` derives it again. Whatever
//!   happens to a thing later (a reversal, a correction of minutes) belongs to the month in which *it* happens.
//! - It holds sums only; a figure that fewer people than `rules.minimum_cell` make up is not shown ([`domain`]).
//!
//! And what a place can ask at any time ([`scope`]): how many needs and projects stand where ([`pipeline`]) and how long they stay
//! there ([`stays`]), what is over its day ([`overdue`]), whom projects served ([`services`]), where the money is ([`money`]), and
//! whole tables as files ([`exports`]). All of it is counted from the records when it is asked for.

mod derive;
pub mod domain;
mod exports;
mod http;
mod money;
mod overdue;
mod pipeline;
mod scope;
mod service;
mod services;
mod stays;

use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::DbErr;

use crate::platform::capability::{Capability, Schedule};
use crate::platform::state::AppState;

pub use service::make;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability {
        name: "figures",
        routes: Some(http::routes),
        schedules: vec![Schedule {
            name: "figures.summaries",
            every: Duration::from_mins(10),
            run: |state| async move { service::make_due(&state).await }.boxed_local(),
        }],
        verify: Some(|state| verify(state).boxed_local()),
        ..Capability::default()
    }
}

async fn verify(state: &AppState) -> Result<Vec<String>, DbErr> {
    let mut findings = service::verify(state).await?;
    findings.extend(money::verify(state).await?);
    Ok(findings)
}
