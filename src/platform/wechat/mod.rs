//! WeChat's server API (stub until the branch lands).
#![allow(missing_docs)]
use super::cache::SharedCache;
use super::clock::Clock;
use secrecy::SecretString;
use std::time::Duration;
pub struct Settings {
    pub base_url: String,
    pub appid: String,
    pub secret: SecretString,
    pub mini_program_state: String,
    pub timeout: Duration,
}
#[derive(Clone)]
pub struct WeChat;
impl WeChat {
    pub fn new(_: Settings, _: SharedCache, _: Clock) -> Result<Self, std::io::Error> {
        Ok(Self)
    }
}
pub mod push {
    pub struct PushSettings;
    impl PushSettings {
        pub fn new(_: &str, _: Option<&str>, _: &str) -> Result<Self, std::io::Error> {
            Ok(Self)
        }
    }
}

pub struct Session {
    pub openid: String,
    pub unionid: Option<String>,
}
pub struct Phone {
    pub pure_number: String,
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum WeChatError {
    InvalidCode,
    HighRiskUser,
    ConsentUsedUp,
    Banned,
    Busy,
}
impl WeChatError {
    pub fn is_transient(&self) -> bool {
        true
    }
}
pub struct SubscribeMessage {
    pub openid: String,
    pub template_id: String,
    pub page: Option<String>,
    pub data: Vec<(String, String)>,
}
impl WeChat {
    pub async fn code_to_session(&self, _: &str) -> Result<Session, WeChatError> {
        Err(WeChatError::Busy)
    }
    pub async fn phone_number(&self, _: &str) -> Result<Phone, WeChatError> {
        Err(WeChatError::Busy)
    }
    pub async fn send_subscribe_message(&self, _: &SubscribeMessage) -> Result<(), WeChatError> {
        Err(WeChatError::Busy)
    }
}
