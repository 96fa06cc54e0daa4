//! Linli (邻里): the backend with which a district runs its neighbourhood governance.
//!
//! `docs/ARCHITECTURE.md` tells where everything is, and `app::capabilities` in which order modules may use one another.

pub mod platform;

pub mod audit;
pub mod cases;
pub mod certificates;
pub mod delivery;
pub mod figures;
pub mod files;
pub mod funds;
pub mod identity;
pub mod judgement;
pub mod ledger;
pub mod moderation;
pub mod needs;
pub mod notices;
pub mod notifications;
pub mod organisations;
pub mod places;
pub mod points;
pub mod polls;
pub mod programmes;
pub mod projects;
pub mod rewards;
pub mod surveys;
pub mod teams;
pub mod tenders;
pub mod topics;
pub mod volunteering;

pub mod app;
pub mod cli;
pub mod demo;
pub mod verify;
