//! What a capability hands to the app: its routes, jobs, schedules, rules to audit and things to moderate.
//!
//! A new capability is a folder with a `capability()` in its `mod.rs` and one line in `app.rs`.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entities::ids::{PlaceId, UserId};
use entities::moderation::ModerationAction;
use futures_util::future::LocalBoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::http::Problem;
use super::jobs::JobError;
use super::state::AppState;

/// One room of the house.
#[derive(Clone, Default)]
pub struct Capability {
    /// The folder's name.
    pub name: &'static str,
    /// Registers the routes below `/api/v1`.
    pub routes: Option<fn(&mut ServiceConfig)>,
    /// Jobs by kind; see [`super::jobs`].
    pub jobs: Vec<(&'static str, JobHandler)>,
    /// What recurs.
    pub schedules: Vec<Schedule>,
    /// What moderators can act on, by `target_kind`.
    pub moderated: Vec<(&'static str, &'static dyn Moderated)>,
    /// What points can stem from, by `source_kind`.
    pub explained: Vec<(&'static str, &'static dyn Explained)>,
    /// What polls can be about, by `subject_kind`.
    pub polled: Vec<(&'static str, &'static dyn Polled)>,
    /// Audits the invariants in a live database: each finding is a sentence.
    pub verify: Option<Verify>,
}

/// Does one job. It may run more than once for one job, and must then have one effect.
pub type JobHandler = fn(AppState, Value) -> LocalBoxFuture<'static, Result<(), JobError>>;

/// Reads the database and lists what breaks a rule.
pub type Verify = for<'a> fn(&'a AppState) -> LocalBoxFuture<'a, Result<Vec<String>, sea_orm::DbErr>>;

/// Something that is done again and again, by one process at a time.
#[derive(Clone, Copy)]
pub struct Schedule {
    /// Its row's name.
    pub name: &'static str,
    /// How often.
    pub every: Duration,
    /// What; it must bear being run twice.
    pub run: fn(AppState) -> LocalBoxFuture<'static, Result<(), JobError>>,
}

/// A thing that residents wrote and moderators can hide.
#[async_trait(?Send)]
pub trait Moderated: Sync {
    /// What a moderator must know of it, or nothing when there is no such thing.
    async fn preview(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Preview>, Problem>;
    /// Carries out a decision, in the decision's own transaction.
    async fn apply(
        &self,
        state: &AppState,
        txn: &DatabaseTransaction,
        id: Uuid,
        action: ModerationAction,
    ) -> Result<(), Problem>;
}

/// See [`Moderated::preview`].
pub struct Preview {
    /// Whose queue it belongs to.
    pub community_id: PlaceId,
    /// Where it is, for the moderators' grants.
    pub place_path: String,
    /// Who wrote it.
    pub author_id: UserId,
    /// Its beginning.
    pub excerpt: String,
    /// Whether everybody may see it.
    pub public: bool,
}

/// Something that points stem from, and that can say to the person who got them why.
#[async_trait(?Send)]
pub trait Explained: Sync {
    /// What the person may know of it, or nothing when there is no such thing.
    async fn explain(&self, connection: &DatabaseConnection, id: Uuid) -> Result<Option<Explanation>, Problem>;
}

/// See [`Explained::explain`]; texts are Chinese.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What was done.
    pub what: String,
    /// How that is known, in the order of time.
    pub evidence: Vec<Evidence>,
    /// How long it took, if that counts.
    pub minutes: Option<i64>,
    /// Who stands for it.
    pub confirmed: Vec<Confirmed>,
}

/// A moment that was recorded.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What happened.
    pub what: &'static str,
    /// How it is known, as a word of the record.
    pub method: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Somebody who stands for something.
#[derive(Clone, Copy, Debug)]
pub struct Confirmed {
    /// The person.
    pub by: UserId,
    /// As what.
    pub role: &'static str,
    /// When.
    pub at: DateTime<Utc>,
}

/// Something that a poll is about and that waits for its result.
#[async_trait(?Send)]
pub trait Polled: Sync {
    /// Takes the result, in the transaction that closes the poll.
    async fn closed(
        &self,
        state: &AppState,
        txn: &DatabaseTransaction,
        subject: Uuid,
        result: &PollResult,
    ) -> Result<(), Problem>;
}

/// See [`Polled::closed`].
#[derive(Clone, Debug)]
pub struct PollResult {
    /// The poll.
    pub poll_id: Uuid,
    /// Of a yes-or-no question: whether it was adopted.
    pub adopted: Option<bool>,
    /// The titles of what won; several if they got the same.
    pub winners: Vec<String>,
    /// How many voted.
    pub ballots: i64,
    /// How many could.
    pub electorate: i64,
}
