//! The API over real HTTP, against real storage and WeChat's wire format; one binary, a module a capability.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::as_conversions)]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "not every helper is used by every build")]
mod support;

mod absence;
mod answers;
mod awards;
mod bids;
mod boards;
mod cases;
mod catalogue;
mod certificates;
mod changes;
mod contracts;
mod delivery;
mod designs;
mod earning;
mod evaluations;
mod exchange;
mod exemplars;
mod expiry;
mod exports;
mod figures;
mod files;
mod funds;
mod identity;
mod leaderboards;
mod ledger;
mod ledger_walk;
mod lifecycle;
mod merchants;
mod merging;
mod migration;
mod milestones;
mod moderation;
mod needs;
mod notices;
mod notifications;
mod objections;
mod organisations;
mod participants;
mod platform;
mod platforms;
mod points;
mod polls;
mod presence;
mod programmes;
mod projects;
mod ratings;
mod reviews;
mod rewards;
mod selection;
mod service_records;
mod settings;
mod seven_steps;
mod shifts;
mod supervision;
mod surveys;
mod teams;
mod tenders;
mod topics;
mod voice;
mod volunteering;
mod vouchers;
