//! Everything that is not about neighbourhoods. It knows no capability.

pub mod blobs;
pub mod cache;
pub mod calendar;
pub mod capability;
pub mod check_in;
pub mod clock;
pub mod code;
pub mod config;
pub mod crypto;
pub mod csv;
pub mod db;
pub mod geo;
pub mod housekeeping;
pub mod http;
pub mod ids;
pub mod jobs;
pub mod mistake;
pub mod money;
pub mod opening;
pub(crate) mod pdf;
pub mod state;
pub mod telemetry;
pub mod wechat;
