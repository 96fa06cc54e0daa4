//! `linli serve | worker | demo | migrate | seed | verify | jobs | openapi`.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::sync::watch;

use crate::platform::clock::Clock;
use crate::platform::config::Config;
use crate::platform::db::Db;
use crate::platform::jobs::{self, worker};
use crate::platform::state::{AppState, SetupError};
use crate::platform::telemetry;
use crate::{app, demo, verify};

#[derive(Parser)]
#[command(version, about = "邻里 Linli: neighbourhood governance for WeChat mini-programs")]
struct Cli {
    /// A file that overrides the built-in defaults; `LINLI_…` variables override both.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    Serve,
    /// Do the jobs that the API promises. Any number of workers and servers may run.
    Worker,
    /// Serve everything with demo people and a WeChat simulator in one process.
    Demo {
        /// Address of the API.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// Address of the simulator.
        #[arg(long, default_value = "127.0.0.1:8081")]
        simulator: SocketAddr,
        /// Where database, keys and pictures are kept.
        #[arg(long, default_value = "data")]
        data_dir: PathBuf,
    },
    /// Bring the database's schema up to date.
    Migrate,
    /// Put the demo's places, people and projects into the database; what is there already stays.
    Seed,
    /// Audit a live database: prints what breaks a rule and fails if anything does.
    Verify,
    /// List parked jobs, which have failed too often.
    Jobs {
        /// Try them again now.
        #[arg(long)]
        retry: bool,
    },
    /// Print the OpenAPI document that the server serves.
    Openapi,
}

/// Runs the command line.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    // Before the first TLS client; a second installation in one process is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match act(cli).await {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "linli: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn act(cli: Cli) -> Result<ExitCode, SetupError> {
    if let Command::Openapi = cli.command {
        writeln!(std::io::stdout(), "{}", app::openapi().to_pretty_json()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Demo { listen, simulator, data_dir } = cli.command {
        demo::run(listen, simulator, &data_dir).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::load(cli.config.as_deref())?;
    telemetry::start(&config.log);
    match cli.command {
        Command::Migrate => Db::migrate(&config.database_url).await?,
        Command::Serve => {
            let listener = TcpListener::bind(config.listen)?;
            let state = state(config).await?;
            tracing::info!(address = %listener.local_addr()?, "serving");
            let server = app::serve(&state, listener)?;
            let handle = server.handle();
            actix_web::rt::spawn(async move {
                stop_signal().await;
                handle.stop(true).await;
            });
            server.await?;
        }
        Command::Worker => {
            let state = state(config).await?;
            tracing::info!("working");
            let (stop, stopped) = watch::channel(false);
            actix_web::rt::spawn(async move {
                stop_signal().await;
                let _ = stop.send(true);
            });
            worker::run(state, stopped).await;
        }
        Command::Seed => {
            Db::migrate(&config.database_url).await?;
            let state = state(config).await?;
            demo::seed(&state).await?;
            demo::act(&state).await?;
        }
        Command::Verify => {
            let findings = verify::run(&state(config).await?).await?;
            let mut out = std::io::stdout();
            for finding in &findings {
                writeln!(out, "{finding}")?;
            }
            writeln!(out, "{} finding(s)", findings.len())?;
            return Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Jobs { retry } => {
            let state = state(config).await?;
            let mut out = std::io::stdout();
            for job in jobs::parked(&state).await? {
                writeln!(
                    out,
                    "{} {} {} attempts: {}",
                    job.id,
                    job.kind,
                    job.attempts,
                    job.last_error.unwrap_or_default()
                )?;
            }
            if retry {
                writeln!(out, "{} job(s) will be tried again", jobs::retry_parked(&state).await?)?;
            }
        }
        Command::Openapi | Command::Demo { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn state(config: Config) -> Result<AppState, SetupError> {
    AppState::new(config, Clock::default(), app::capabilities()).await
}

/// Waits until somebody asks the process to end.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // Without signals only kill -9 ends the process.
        return tokio::time::sleep(Duration::MAX).await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
