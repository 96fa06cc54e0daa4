//! Settings: built-in defaults, then a file, then `LINLI_…` environment variables; checked once, at start.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Everything that can be set; `config/default.toml` explains each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Config {
    pub listen: SocketAddr,
    pub public_url: String,
    pub data_dir: PathBuf,
    pub database_url: String,
    pub database_connections: u32,
    pub redis_url: Option<String>,
    pub redis_prefix: String,
    pub workers: usize,
    pub log: Log,
    pub secrets: Secrets,
    pub wechat: WeChat,
    pub limits: Limits,
    pub cors_origins: Vec<String>,
    pub rules: Rules,
}

/// How logs are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

/// For machines or for people.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum LogFormat {
    Json,
    Human,
}

/// Keys; each can stand in a file that `*_file` names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Secrets {
    pub master_key: Option<SecretString>,
    pub master_key_file: Option<PathBuf>,
    pub data_keys: Option<SecretString>,
    pub data_keys_file: Option<PathBuf>,
}

/// How WeChat is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct WeChat {
    pub base_url: String,
    pub appid: String,
    pub secret: Option<SecretString>,
    pub secret_file: Option<PathBuf>,
    pub push_token: Option<SecretString>,
    pub push_token_file: Option<PathBuf>,
    pub encoding_aes_key: Option<SecretString>,
    pub encoding_aes_key_file: Option<PathBuf>,
    pub mini_program_state: String,
    pub timeout_ms: u64,
    pub templates: Templates,
}

/// WeChat's ids of the subscribe-message templates, by what Linli sends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Templates {
    pub residency: String,
    pub need: String,
    pub project: String,
    pub survey: String,
    pub shift: String,
    pub points: String,
}

/// Limits on what one request or one caller may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Limits {
    pub json_bytes: usize,
    pub file_bytes: usize,
    pub document_bytes: usize,
    pub request_seconds: u64,
    pub per_person_per_minute: u32,
    pub per_address_per_minute: u32,
    pub exempt_loopback: bool,
    pub trust_forwarded_for: bool,
}

/// What a community can set for itself ([`crate::places::rules`]); these are the defaults.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Rules {
    pub points_per_hour: i64,
    pub holidays: Vec<NaiveDate>,
    pub points_expire_months: i64,
    pub award_second_person_above: i64,
    pub minimum_cell: i64,
    pub offer_minutes: i64,
    pub pickup_hours: i64,
    pub refund_grace_days: i64,
    pub check_in_early_minutes: i64,
    pub offline_upload_hours: i64,
    pub survey_pushes_per_week: u64,
    pub star_hours: Vec<i64>,
    pub team_first_hours: i64,
    pub minimum_rest_minutes: i64,
    pub cancel_cutoff_hours: i64,
    pub appeal_days: i64,
    pub objection_reply_days: i64,
    pub selection_objection_days: i64,
    pub no_shows_before_suspension: u64,
    pub no_shows_within_days: i64,
    pub suspension_days: i64,
    pub leaderboard: bool,
    pub finding_reminder_days: i64,
    pub rating_days: i64,
    pub minimum_ratings: i64,
    pub need_days_charity: i64,
    pub need_days_culture_education: i64,
    pub need_days_rights: i64,
    pub need_days_convenience: i64,
}

/// A setting that is missing or wrong.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum ConfigError {
    #[error("{0}")]
    Read(#[from] Box<figment::Error>),
    #[error("{name}: {why}")]
    Invalid { name: &'static str, why: String },
    #[error("{name}: cannot read {path}: {source}")]
    File { name: &'static str, path: PathBuf, source: std::io::Error },
}

impl Config {
    /// The settings of a server: defaults, then `file`, then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let layers = defaults();
        Self::of(file.map_or(layers.clone(), |file| layers.merge(Toml::file_exact(file))).merge(environment()))
    }

    /// The settings of the demo: defaults, then `config/demo.toml`, then the environment.
    pub fn demo() -> Result<Self, ConfigError> {
        Self::of(defaults().merge(Toml::string(include_str!("../../config/demo.toml"))).merge(environment()))
    }

    /// Defaults and a text, whatever the environment says: for tests.
    pub fn with(text: &str) -> Result<Self, ConfigError> {
        Self::of(defaults().merge(Toml::string(text)))
    }

    fn of(layers: Figment) -> Result<Self, ConfigError> {
        let config: Self = layers.extract().map_err(Box::new)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let invalid = |name, why: &str| Err(ConfigError::Invalid { name, why: why.to_owned() });
        if !(self.database_url.starts_with("postgres://")
            || self.database_url.starts_with("postgresql://")
            || self.database_url.starts_with("sqlite://"))
        {
            return invalid("database_url", "must begin with postgres:// or sqlite://");
        }
        if self.redis_url.as_ref().is_some_and(|url| !url.starts_with("redis")) {
            return invalid("redis_url", "must begin with redis:// or rediss://");
        }
        if !self.public_url.starts_with("http") || self.public_url.ends_with('/') {
            return invalid("public_url", "must begin with http and not end with a slash");
        }
        if self.workers == 0 || self.database_connections == 0 {
            return invalid("workers, database_connections", "must be at least 1");
        }
        self.rules.check().map_err(|(field, why)| ConfigError::Invalid { name: "rules", why: format!("{field} {why}") })
    }
}

impl Rules {
    /// Whether they can be kept; else the field that is wrong, and what it must be.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let ranges = [
            ("points_per_hour", self.points_per_hour, 0..=1000),
            ("points_expire_months", self.points_expire_months, 0..=120),
            ("refund_grace_days", self.refund_grace_days, 0..=366),
            ("award_second_person_above", self.award_second_person_above, 0..=100),
            ("minimum_cell", self.minimum_cell, 1..=1000),
            ("offer_minutes", self.offer_minutes, 1..=7 * 24 * 60),
            ("pickup_hours", self.pickup_hours, 1..=90 * 24),
            ("refund_grace_days", self.refund_grace_days, 0..=366),
            ("team_first_hours", self.team_first_hours, 0..=366 * 24),
            ("minimum_rest_minutes", self.minimum_rest_minutes, 0..=7 * 24 * 60),
            ("cancel_cutoff_hours", self.cancel_cutoff_hours, 0..=30 * 24),
            ("appeal_days", self.appeal_days, 0..=366),
            ("objection_reply_days", self.objection_reply_days, 1..=60),
            ("selection_objection_days", self.selection_objection_days, 1..=60),
            ("no_shows_within_days", self.no_shows_within_days, 1..=3660),
            ("suspension_days", self.suspension_days, 0..=3660),
            ("check_in_early_minutes", self.check_in_early_minutes, 0..=24 * 60),
            ("finding_reminder_days", self.finding_reminder_days, 0..=60),
            ("rating_days", self.rating_days, 1..=90),
            ("minimum_ratings", self.minimum_ratings, 1..=1000),
            ("need_days_charity", self.need_days_charity, 1..=366),
            ("need_days_culture_education", self.need_days_culture_education, 1..=366),
            ("need_days_rights", self.need_days_rights, 1..=366),
            ("need_days_convenience", self.need_days_convenience, 1..=366),
        ];
        for (field, value, range) in ranges {
            if !range.contains(&value) {
                let (from, to) = (range.start(), range.end());
                return Err((field, format!("须为 {from} 至 {to} / must be {from} to {to}")));
            }
        }
        if self.survey_pushes_per_week > 100 {
            return Err(("survey_pushes_per_week", "最多 100 / must be 0 to 100".to_owned()));
        }
        if self.star_hours.len() > 20 || self.star_hours.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
            return Err(("star_hours", "须递增，最多 20 个 / must rise, at most 20".to_owned()));
        }
        if self.holidays.len() > 200 {
            return Err(("holidays", "最多 200 天 / at most 200 days".to_owned()));
        }
        Ok(())
    }
}

fn defaults() -> Figment {
    Figment::from(Toml::string(include_str!("../../config/default.toml")))
}

/// `LINLI_…`; what begins with `LINLI_TEST_` is for the tests.
fn environment() -> Env {
    Env::prefixed("LINLI_").filter(|key| !key.as_str().to_ascii_lowercase().starts_with("test_")).split("__")
}

/// A secret from its setting or from the file that `*_file` names.
pub fn secret(
    name: &'static str,
    value: Option<&SecretString>,
    file: Option<&Path>,
) -> Result<SecretString, ConfigError> {
    match (value, file) {
        (Some(value), None) => Ok(value.clone()),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map(|text| SecretString::from(text.trim().to_owned()))
            .map_err(|source| ConfigError::File { name, path: path.to_owned(), source }),
        (None, None) => Err(ConfigError::Invalid { name, why: "must be set (or its _file)".to_owned() }),
        (Some(_), Some(_)) => Err(ConfigError::Invalid { name, why: "is set twice: here and by its _file".to_owned() }),
    }
}
