//! What goes to WeChat and what comes back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::error::SetupError;

/// How WeChat is reached, and as whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://api.weixin.qq.com`, or a simulator's.
    pub base_url: String,
    /// The mini-program's id.
    pub appid: String,
    /// The mini-program's secret.
    pub secret: SecretString,
    /// The version that messages and codes open: `developer`, `trial` or `formal`.
    pub mini_program_state: String,
    /// How long one HTTP exchange may take.
    pub timeout: Duration,
}

/// Which version of the mini-program a message or a code opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MiniProgramState {
    Developer,
    Trial,
    Formal,
}

impl MiniProgramState {
    /// The word subscribe messages use.
    pub(super) fn as_message_state(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Trial => "trial",
            Self::Formal => "formal",
        }
    }

    /// The word codes use.
    pub(super) fn as_code_version(self) -> &'static str {
        match self {
            Self::Developer => "develop",
            Self::Trial => "trial",
            Self::Formal => "release",
        }
    }
}

impl FromStr for MiniProgramState {
    type Err = SetupError;

    fn from_str(word: &str) -> Result<Self, SetupError> {
        [Self::Developer, Self::Trial, Self::Formal]
            .into_iter()
            .find(|state| state.as_message_state() == word)
            .ok_or(SetupError::MiniProgramState)
    }
}

/// Who signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// The user's id in this mini-program.
    pub openid: String,
    /// The user's id in all apps of one owner, where WeChat tells it.
    pub unionid: Option<String>,
    /// Never leaves the server.
    pub session_key: SecretString,
}

/// A user's phone number; `Debug` does not show it.
#[derive(Clone)]
pub struct PhoneNumber {
    /// Without the country code.
    pub pure_number: String,
    /// `86`
    pub country_code: String,
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneNumber").field("country_code", &self.country_code).finish_non_exhaustive()
    }
}

/// Where a text appears; WeChat's judgement depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Scene {
    Profile,
    Comment,
    Forum,
    SocialLog,
}

impl Scene {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Profile => 1,
            Self::Comment => 2,
            Self::Forum => 3,
            Self::SocialLog => 4,
        }
    }
}

/// What to do with a text or a picture, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suggest {
    /// Nothing is wrong with it.
    Pass,
    /// A person should look at it.
    Review,
    /// It should not be shown.
    Risky,
}

impl Suggest {
    /// A word that WeChat does not document is for a person to look at.
    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "pass" => Self::Pass,
            "risky" => Self::Risky,
            _ => Self::Review,
        }
    }
}

/// WeChat's judgement on content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What to do.
    pub suggest: Suggest,
    /// Why: 100 normal, 10001 advertisement, 20001 politics, 20002 pornography, 20003 abuse, 20006 crime, 20008 fraud,
    /// 20012 vulgar, 20013 copyright, 21000 other.
    pub label: i64,
}

impl Verdict {
    /// Nothing is wrong.
    pub const PASS: Self = Self { suggest: Suggest::Pass, label: 100 };
}

/// A message to somebody who agreed to get one of this template.
#[derive(Clone, Debug)]
pub struct SubscribeMessage {
    /// Who gets it.
    pub openid: String,
    /// WeChat's id of the template.
    pub template_id: String,
    /// The page a tap opens, perhaps with a query.
    pub page: Option<String>,
    /// The template's fields (`thing1`, `time2`); what is too long is cut.
    pub data: Vec<(String, String)>,
}
