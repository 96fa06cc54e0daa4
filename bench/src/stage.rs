//! What takes part: PostgreSQL and Redis of the script, and Linli's server and worker, a WeChat simulator and a bare actix
//! as processes of their own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use linli::platform::clock::Clock;
use linli::platform::config::Config;
use linli::platform::db::Db;
use linli::platform::state::AppState;
use linli::{app, demo};
use sea_orm::{ConnectionTrait, Database};

use crate::load::{Client, request};
use crate::{Failure, RunArgs};

/// How PostgreSQL's log names the server's connections.
pub const SERVER: &str = "linli-serve";
const DATABASE: &str = "linli_bench";

/// A process that ends with the run.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Everything that takes part.
pub struct Stage {
    /// The server's state in this process: the same keys, the same database.
    pub state: AppState,
    /// Linli.
    pub server: SocketAddr,
    /// Bare actix.
    pub bare: SocketAddr,
    /// WeChat's stand-in.
    pub simulator: SocketAddr,
    /// Redis.
    pub redis: SocketAddr,
    /// PostgreSQL's port.
    pub postgres_port: u16,
    /// PostgreSQL's log.
    pub postgres_log: PathBuf,
    /// For files of the run.
    pub folder: PathBuf,
    postgres: u32,
    redis_process: u32,
    server_process: Process,
    worker_process: Process,
    simulator_process: Process,
    bare_process: Process,
}

/// Process ids of what takes part.
#[derive(Clone, Copy)]
pub struct Pids {
    pub server: u32,
    pub worker: u32,
    pub postgres: u32,
    pub redis: u32,
    pub simulator: u32,
    pub bare: u32,
}

impl Stage {
    /// Makes the database, puts the demo's places into it and starts the processes.
    pub async fn build(args: &RunArgs) -> Result<Self, Failure> {
        let folder = args.services.join("bench");
        fs::create_dir_all(&folder)?;
        let (server, bare, simulator) = (free_address()?, free_address()?, free_address()?);
        let postgres = format!("postgres://postgres@127.0.0.1:{}", args.postgres_port);
        let connection = Database::connect(format!("{postgres}/postgres")).await?;
        connection.execute_unprepared(&format!("CREATE DATABASE {DATABASE}")).await?;
        connection.close().await?;
        let database = format!("{postgres}/{DATABASE}");
        let redis = SocketAddr::from((Ipv4Addr::LOCALHOST, args.redis_port));
        let settings = settings(server, simulator, &database, redis, &folder);
        let config_file = folder.join("linli.toml");
        fs::write(&config_file, &settings)?;
        Db::migrate(&database).await?;
        let state = AppState::new(Config::with(&settings)?, Clock::default(), app::capabilities()).await?;
        demo::seed(&state).await?;

        let me = std::env::current_exe()?;
        let bare_process = start(Command::new(&me).arg("bare").arg(bare.to_string()))?;
        let simulator_process = start(Command::new(&me).arg("simulator").arg(simulator.to_string()))?;
        let linli = |word: &str| {
            let mut command = Command::new(&args.linli);
            // What the caller has set for a Linli of theirs must not reach this one.
            for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LINLI_")) {
                command.env_remove(name);
            }
            let named = format!("{database}?application_name=linli-{word}");
            command.arg("--config").arg(&config_file).arg(word).env("LINLI_DATABASE_URL", named);
            start(&mut command)
        };
        let started = Self {
            server_process: linli("serve")?,
            worker_process: linli("worker")?,
            state,
            server,
            bare,
            simulator,
            redis,
            postgres_port: args.postgres_port,
            postgres_log: args.services.join("postgres/server.log"),
            postgres: first_number(&args.services.join("postgres/data/postmaster.pid"))?,
            redis_process: first_number(&args.services.join("redis.pid"))?,
            folder,
            simulator_process,
            bare_process,
        };
        for (address, path) in [(server, "/health/ready"), (bare, "/"), (simulator, "/sim/clock")] {
            answers(address, path).await?;
        }
        Ok(started)
    }

    /// Process ids of what takes part.
    pub fn pids(&self) -> Pids {
        Pids {
            server: self.server_process.0.id(),
            worker: self.worker_process.0.id(),
            postgres: self.postgres,
            redis: self.redis_process,
            simulator: self.simulator_process.0.id(),
            bare: self.bare_process.0.id(),
        }
    }

    /// The database's name.
    pub fn database() -> &'static str {
        DATABASE
    }
}

fn start(command: &mut Command) -> Result<Process, Failure> {
    // Standard output is for the report alone.
    Ok(Process(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
}

/// An address that nobody listens on now.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn first_number(file: &Path) -> Result<u32, Failure> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().trim().parse()?)
}

/// Waits until a process serves.
async fn answers(address: SocketAddr, path: &str) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        if let Ok(mut client) = Client::connect(address).await {
            client.json(&request("GET", path, None, None), 200).await?;
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(30) {
            return Err(format!("nothing answers on {address}{path}").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Settings as in production: only the limits per minute do not count this machine, and WeChat is the simulator.
fn settings(server: SocketAddr, simulator: SocketAddr, database: &str, redis: SocketAddr, folder: &Path) -> String {
    let wechat = wechat_simulator::Settings::default();
    format!(
        r#"
        listen = "{server}"
        public_url = "http://{server}"
        data_dir = "{folder}"
        database_url = "{database}"
        redis_url = "redis://{redis}/"
        [log]
        format = "json"
        filter = "warn"
        [secrets]
        master_key = "{master}"
        data_keys = "bench:{data}"
        [wechat]
        base_url = "http://{simulator}"
        appid = "{appid}"
        secret = "{secret}"
        [limits]
        exempt_loopback = true
        [rules]
        # So that the check-ins of two shifts can be measured without waiting for them.
        check_in_early_minutes = 1440
        "#,
        folder = folder.display(),
        master = "1f".repeat(32),
        data = "2e".repeat(32),
        appid = wechat.appid,
        secret = wechat.secret,
    )
}
