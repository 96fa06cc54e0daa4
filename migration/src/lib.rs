//! Linli's schema for PostgreSQL and SQLite, a migration a capability.
//!
//! A migration is SQL that both databases read after [`dialect`] has put in the column types; where they differ more than
//! that (triggers, exclusion constraints) the statement stands between `--postgres` or `--sqlite` and `--end`.
//! Constraint names matter: `platform::http::problem` maps them to error codes.

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

macro_rules! migrations {
    ($($module:ident),+ $(,)?) => {
        $(mod $module {
            use sea_orm_migration::prelude::*;

            pub struct Migration;

            impl MigrationName for Migration {
                fn name(&self) -> &'static str {
                    stringify!($module)
                }
            }

            #[async_trait::async_trait]
            impl MigrationTrait for Migration {
                async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                    let sql = crate::dialect(include_str!(concat!(stringify!($module), ".sql")), manager.get_database_backend());
                    manager.get_connection().execute_unprepared(&sql).await.map(drop)
                }
            }
        })+

        /// All migrations, oldest first.
        pub struct Migrator;

        #[async_trait::async_trait]
        impl MigratorTrait for Migrator {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$(Box::new($module::Migration)),+]
            }
        }
    };
}

migrations! {
    m20261124_000001_platform,
    m20261124_000002_identity,
    m20261124_000003_moderation,
    m20261124_000004_notices,
    m20261124_000005_ledger,
    m20261124_000006_polls,
    m20261124_000007_surveys,
    m20261124_000008_needs,
    m20261124_000009_volunteering,
    m20261124_000010_rewards,
    m20261125_000011_ledger,
    m20261125_000012_points,
    m20261125_000013_boards,
    m20261125_000014_teams,
    m20261125_000015_shifts,
    m20261125_000016_presence,
    m20261125_000017_certificates,
    m20261125_000018_rewards,
    m20261125_000019_figures,
    m20261125_000020_adoption,
    m20261126_000021_parties,
    m20261126_000022_lifecycle,
    m20261126_000023_notices,
    m20261126_000024_needs,
    m20261126_000025_topics,
    m20261126_000026_organisations,
    m20261126_000027_programmes,
    m20261126_000028_tenders,
    m20261126_000029_delivery,
    m20261126_000030_judgement,
    m20261126_000031_funds,
    m20261126_000032_figures,
    m20261127_000034_voice,
    m20261127_000035_steps,
}

/// Column types by database: what the SQL files write, PostgreSQL, SQLite.
///
/// Paths compare by bytes on both, so that "inside" is a range of an index.
const TYPES: [(&str, &str, &str); 4] = [
    ("UUID", "uuid", "blob"),
    ("TIME", "timestamptz", "text"),
    ("JSON", "jsonb", "text"),
    ("PATH", "text COLLATE \"C\"", "text"),
];

fn dialect(sql: &str, backend: DbBackend) -> String {
    let postgres = matches!(backend, DbBackend::Postgres);
    let mut kept = true;
    let mut out = String::with_capacity(sql.len());
    for line in sql.lines() {
        match line.trim_end() {
            "--postgres" => kept = postgres,
            "--sqlite" => kept = !postgres,
            "--end" => kept = true,
            line if kept => {
                out.push_str(line);
                out.push('\n');
            }
            _ => {}
        }
    }
    for (word, in_postgres, in_sqlite) in TYPES {
        out = out.replace(&format!(" {word}"), &format!(" {}", if postgres { in_postgres } else { in_sqlite }));
    }
    out
}
