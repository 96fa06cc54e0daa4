//! Linli (邻里): the backend with which a district runs its neighbourhood governance.
//!
//! `docs/ARCHITECTURE.md` tells where everything is. Modules stand in the order in which they may use one another.

pub mod platform;

pub mod audit;
pub mod places;
pub mod notifications;
pub mod identity;

pub mod app;
pub mod cli;
pub mod demo;
pub mod verify;
