//! The database: PostgreSQL, or SQLite with one writer and a pool of readers.

use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use uuid::Uuid;

/// Connections for reading and for writing.
#[derive(Clone, Debug)]
pub struct Db {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
}

impl Db {
    /// Connects; `connections` bounds the pool.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, DbErr> {
        if !url.starts_with("sqlite:") {
            let pool = Database::connect(options(url, connections)).await?;
            return Ok(Self { reader: pool.clone(), writer: pool });
        }
        // SQLite has one writer at a time: a queue for one connection beats a fight for the file's lock.
        let writer = Database::connect(sqlite(url, 1)).await?;
        let reader = Database::connect(sqlite(url, connections)).await?;
        Ok(Self { reader, writer })
    }

    /// Brings the schema up to date, on a connection of its own: pooled ones would keep the old schema.
    pub async fn migrate(url: &str) -> Result<(), DbErr> {
        if !url.starts_with("sqlite:") {
            let connection = Database::connect(options(url, 1)).await?;
            // Two processes that start at once must not migrate at once; the lock goes with the connection.
            connection.execute_unprepared("SELECT pg_advisory_lock(6320170901)").await?;
            Migrator::up(&connection, None).await?;
            return connection.close().await;
        }
        let connection = Database::connect(sqlite(url, 1)).await?;
        // SQLite changes a constraint by making the table anew, which references to it must bear:
        // https://www.sqlite.org/lang_altertable.html#otheralter
        connection.execute_unprepared("PRAGMA foreign_keys = OFF").await?;
        Migrator::up(&connection, None).await?;
        let broken = Statement::from_string(DbBackend::Sqlite, "PRAGMA foreign_key_check");
        if !connection.query_all_raw(broken).await?.is_empty() {
            return Err(DbErr::Migration("a migration left rows that refer to none".to_owned()));
        }
        connection.close().await
    }

    /// For what needs no transaction and writes nothing.
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// A transaction that may write. On SQLite it waits for its turn at once, so that it never fails half way.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
        self.writer.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() }).await
    }

    /// Which database it is.
    pub fn is_postgres(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Postgres
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.reader.ping().await
    }

    /// Audits rules: each is what to say of a row that breaks it, with `{}` for its id, and a query for such rows' `id`.
    pub async fn audit(&self, rules: &[(&str, &str)]) -> Result<Vec<String>, DbErr> {
        let mut findings = Vec::new();
        for (sentence, query) in rules {
            // A broken rule may be broken everywhere: a hundred rows tell as much as a million.
            let query = format!("{query} LIMIT 100");
            for row in
                self.reader.query_all_raw(Statement::from_string(self.reader.get_database_backend(), query)).await?
            {
                let id: Uuid = row.try_get("", "id")?;
                findings.push(sentence.replace("{}", &id.to_string()));
            }
        }
        Ok(findings)
    }

    /// Closes all connections.
    pub async fn close(self) -> Result<(), DbErr> {
        self.reader.close().await?;
        self.writer.close().await
    }
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
    // A ping before every statement would cost as much as a statement.
    options.test_before_acquire_if_idle_for(Duration::from_secs(5));
    options
}

fn sqlite(url: &str, connections: u32) -> ConnectOptions {
    let mut options = options(url, connections);
    options.map_sqlx_sqlite_opts(|options| {
        use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
        options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .foreign_keys(true)
    });
    options
}
