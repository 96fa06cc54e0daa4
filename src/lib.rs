//! Linli (邻里): the backend with which a district runs its neighbourhood governance.

pub mod platform;
