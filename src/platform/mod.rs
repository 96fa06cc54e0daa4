//! Everything that is not about neighbourhoods. It knows no capability.

pub mod cache;
pub mod clock;
pub mod config;
pub mod ids;
pub mod wechat;
