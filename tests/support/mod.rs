//! A whole Linli for one test: its own database, the WeChat simulator, a server on a free port, people to sign in.
//!
//! By default on SQLite and the in-process cache; `LINLI_TEST_DATABASE_URL` (a PostgreSQL server's maintenance database) and
//! `LINLI_TEST_REDIS_URL` put the same tests on those.

pub mod cast;
mod client;
mod database;
pub mod projects;

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use linli::platform::clock::Clock;
use linli::platform::config::Config;
use linli::platform::jobs::worker;
use linli::platform::state::AppState;
use linli::{app, demo, verify};
use wechat_simulator::{SharedClock, Simulator};

#[allow(unused_imports, reason = "named by tests that pass people around")]
pub use client::{Answer, Person};
pub use database::Fresh;
pub use linli::demo::{place_id, user_id};

/// 光华社区, its two buildings where people live, and another community.
pub const GUANGHUA: &str = "/jiangan/chezhan/guanghua/";
pub const BUILDING_1: &str = "/jiangan/chezhan/guanghua/wg1/b1/";
pub const BUILDING_2: &str = "/jiangan/chezhan/guanghua/wg1/b2/";
pub const ANJING: &str = "/jiangan/qiuchang/anjing/";

pub struct TestApp {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    pub state: AppState,
    pub simulator: Simulator,
    pub http: reqwest::Client,
    parked_expected: std::cell::Cell<bool>,
}

/// Settings of a test; `extra` is TOML over them.
pub fn config(database_url: &str, data_dir: &std::path::Path, extra: &str) -> Config {
    let redis = std::env::var("LINLI_TEST_REDIS_URL").ok();
    let text = format!(
        r#"
        database_url = "{database_url}"
        database_connections = 12
        data_dir = "{}"
        {}
        redis_prefix = "test:{}:"
        [log]
        filter = "off"
        [secrets]
        master_key = "{}"
        data_keys = "test:{}"
        [wechat]
        appid = "wx5b1a0000linli000"
        secret = "0123456789abcdef0123456789abcdef"
        push_token = "test-push-token"
        encoding_aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
        timeout_ms = 1500
        [limits]
        exempt_loopback = true
        {extra}
        "#,
        data_dir.display(),
        redis.map(|url| format!("redis_url = \"{url}\"")).unwrap_or_default(),
        linli::platform::ids::unordered::<uuid::Uuid>(),
        "1f".repeat(32),
        "2e".repeat(32),
    );
    Config::with(&text).expect("valid settings")
}

impl TestApp {
    /// Runs a test against a fresh app, then does the jobs that are left and audits every rule.
    pub async fn run(test: impl AsyncFnOnce(&Self)) {
        Self::run_with("", test).await;
    }

    /// [`Self::run`] with limits of its own (TOML, below `[limits]`).
    pub async fn run_with(extra: &str, test: impl AsyncFnOnce(&Self)) {
        Self::run_changed(extra, |_| (), test).await;
    }

    /// [`Self::run`] with settings of its own.
    pub async fn run_configured(change: impl FnOnce(&mut Config), test: impl AsyncFnOnce(&Self)) {
        Self::run_changed("", change, test).await;
    }

    async fn run_changed(extra: &str, change: impl FnOnce(&mut Config), test: impl AsyncFnOnce(&Self)) {
        let folder = tempfile::tempdir().expect("a folder");
        let database = database::Fresh::create(folder.path()).await;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let clock = SharedClock::new();
        let mut config = config(&database.url, folder.path(), extra);
        config.public_url = url.clone();
        change(&mut config);
        let simulator = TcpListener::bind("127.0.0.1:0").expect("a port");
        let simulator = demo::start_simulator(&config, simulator, clock.clone()).expect("a simulator");
        config.wechat.base_url = simulator.base_url().to_owned();
        let state =
            AppState::new(config, Clock::with_offset(clock.offset_ms()), app::capabilities()).await.expect("a state");
        let server = app::serve(&state, listener).expect("a server");
        let handle: ServerHandle = server.handle();
        actix_web::rt::spawn(server);
        let http = reqwest::Client::builder().timeout(Duration::from_mins(1)).build().expect("a client");
        let app = Self { url, state, simulator, http, parked_expected: false.into() };
        test(&app).await;
        app.work().await;
        app.audit().await;
        let Self { state, simulator, .. } = app;
        handle.stop(false).await;
        simulator.stop().await;
        state.db.clone().close().await.expect("closed");
        database.drop().await;
    }

    /// Does everything that is due: jobs, schedules, and what WeChat pushes meanwhile.
    pub async fn work(&self) {
        worker::drain(&self.state).await.expect("the database");
        self.simulator.control().settled().await;
        worker::drain(&self.state).await.expect("the database");
    }

    /// Moves everybody's time and does what has become due.
    pub async fn advance(&self, by: chrono::Duration) {
        self.simulator.control().advance(by.to_std().expect("forward"));
        self.work().await;
    }

    /// This test parks jobs on purpose.
    pub fn expect_parked(&self) {
        self.parked_expected.set(true);
    }

    async fn audit(&self) {
        use entities::jobs::{JobState, job};
        use sea_orm::EntityTrait;
        let jobs = job::Entity::find().all(self.state.db.read()).await.expect("the database");
        let stuck: Vec<_> =
            jobs.iter().filter(|job| job.run_at <= self.state.clock.now() || job.state == JobState::Parked).collect();
        let parked_expected = self.parked_expected.get();
        assert!(parked_expected || stuck.is_empty(), "jobs left: {stuck:?}");
        let mut findings = verify::run(&self.state).await.expect("the database");
        findings.retain(|finding| !(parked_expected && finding.starts_with("platform: ")));
        assert!(findings.is_empty(), "linli verify: {findings:#?}");
    }
}
