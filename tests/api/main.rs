//! The API over real HTTP, against real storage and WeChat's wire format; one binary, a module a capability.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::as_conversions)]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "not every helper is used by every build")]
mod support;

mod absence;
mod answers;
mod awards;
mod boards;
mod cases;
mod catalogue;
mod certificates;
mod changes;
mod earning;
mod exchange;
mod expiry;
mod exports;
mod figures;
mod files;
mod identity;
mod leaderboards;
mod ledger;
mod ledger_walk;
mod lifecycle;
mod merchants;
mod merging;
mod migration;
mod moderation;
mod needs;
mod notices;
mod notifications;
mod objections;
mod organisations;
mod participants;
mod platform;
mod points;
mod polls;
mod presence;
mod programmes;
mod projects;
mod rewards;
mod settings;
mod shifts;
mod surveys;
mod teams;
mod volunteering;
mod vouchers;
