//! A database for one test: a copy of one that was migrated and seeded once.

use std::path::Path;

use linli::platform::clock::Clock;
use linli::platform::db::Db;
use linli::platform::state::AppState;
use linli::{app, demo};
use sea_orm::{ConnectionTrait, Database};
use tokio::sync::OnceCell;

pub struct Fresh {
    pub url: String,
    name: Option<String>,
}

fn server() -> Option<String> {
    std::env::var("LINLI_TEST_DATABASE_URL").ok()
}

impl Fresh {
    pub async fn create(folder: &Path) -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(template).await;
        let Some(server) = server() else {
            let file = folder.join("linli.db");
            std::fs::copy(template, &file).expect("a copy");
            return Self { url: sqlite(&file), name: None };
        };
        let name = unique();
        on(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { url: named(&server, &name), name: Some(name) }
    }

    /// One without any table, for tests that migrate it themselves.
    pub async fn empty(folder: &Path) -> Self {
        let Some(server) = server() else {
            return Self { url: sqlite(&folder.join("linli.db")), name: None };
        };
        let name = unique();
        on(&server, &format!("CREATE DATABASE {name}")).await;
        Self { url: named(&server, &name), name: Some(name) }
    }

    pub async fn drop(self) {
        if let (Some(server), Some(name)) = (server(), self.name) {
            on(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn template() -> String {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let (template, url) = if let Some(server) = server() {
        let name = unique();
        on(&server, &format!("CREATE DATABASE {name}")).await;
        (name.clone(), named(&server, &name))
    } else {
        let file = folder.join("template.db");
        (file.display().to_string(), sqlite(&file))
    };
    Db::migrate(&url).await.expect("migrated");
    let state =
        AppState::new(super::config(&url, &folder, ""), Clock::default(), app::capabilities()).await.expect("a state");
    demo::seed(&state).await.expect("seeded");
    // Closing writes SQLite's log back into the file, and PostgreSQL copies only what nobody is connected to.
    state.db.clone().close().await.expect("closed");
    template
}

fn unique() -> String {
    format!("linli_test_{}", linli::platform::ids::unordered::<uuid::Uuid>().simple())
}

fn sqlite(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

fn named(server: &str, name: &str) -> String {
    let (start, _) = server.rsplit_once('/').expect("a database in the URL");
    format!("{start}/{name}")
}

async fn on(server: &str, statement: &str) {
    let connection = Database::connect(server).await.expect("PostgreSQL");
    connection.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    connection.close().await.expect("closed");
}
