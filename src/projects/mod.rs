//! Projects and the organisations behind them: what a community's money is spent on.
//!
//! A project belongs to a place of a community. Everybody signed in reads it; staff of the place create it. The budget is a
//! whole number of fen. `figures` is what was counted of its work, free in form until service records are kept.

mod http;
mod service;

use crate::platform::capability::Capability;

/// What this capability brings.
pub fn capability() -> Capability {
    Capability { name: "projects", routes: Some(http::routes), ..Capability::default() }
}
