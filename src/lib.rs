//! Linli (邻里): the backend with which a district runs its neighbourhood governance.
//!
//! `docs/ARCHITECTURE.md` tells where everything is, and `app::capabilities` in which order modules may use one another.

pub mod platform;

pub mod audit;
pub mod certificates;
pub mod figures;
pub mod files;
pub mod identity;
pub mod ledger;
pub mod moderation;
pub mod needs;
pub mod notices;
pub mod notifications;
pub mod places;
pub mod points;
pub mod polls;
pub mod projects;
pub mod rewards;
pub mod surveys;
pub mod teams;
pub mod volunteering;

pub mod app;
pub mod cli;
pub mod demo;
pub mod verify;
