//! WeChat's server API (stub until the branch lands).
#![allow(missing_docs)]
use super::cache::SharedCache; use super::clock::Clock;
use secrecy::SecretString; use std::time::Duration;
pub struct Settings { pub base_url: String, pub appid: String, pub secret: SecretString, pub mini_program_state: String, pub timeout: Duration }
#[derive(Clone)] pub struct WeChat;
impl WeChat { pub fn new(_: Settings, _: SharedCache, _: Clock) -> Result<Self, std::io::Error> { Ok(Self) } }
pub mod push { pub struct PushSettings; impl PushSettings { pub fn new(_: &str, _: Option<&str>, _: &str) -> Result<Self, std::io::Error> { Ok(Self) } } }
