//! Measures Linli beside the limits of the machine it runs on, in one run, and prints JSON. `scripts/bench` starts it.
//!
//! `docs/PERFORMANCE.md` explains the figures. One file a part: the [`stage`] with its processes, the [`people`] who
//! call, the [`scenarios`] of what they do, the [`load`] generator that does it, what a request asks of PostgreSQL and Redis
//! ([`traffic`]), the [`limits`] of those, [`boards`] with a million people, a district with fifty thousand [`needs`], the ledger
//! with a million entries ([`growth`]), and the order of it all ([`measure`]).

mod bare;
mod boards;
mod growth;
mod limits;
mod load;
mod machine;
mod measure;
mod needs;
mod people;
mod scenarios;
mod simulator;
mod stage;
mod traffic;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Whatever stops the run.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(about = "Measures Linli beside the limits of this machine; started by scripts/bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure everything and print JSON.
    Run(RunArgs),
    /// Serve one JSON answer and nothing else.
    Bare { listen: SocketAddr },
    /// Stand in for WeChat, without its limits per minute.
    Simulator { listen: SocketAddr },
}

#[derive(Args)]
struct RunArgs {
    /// The `linli` binary to measure.
    #[arg(long)]
    linli: PathBuf,
    /// The services folder of scripts/lib.sh.
    #[arg(long)]
    services: PathBuf,
    #[arg(long)]
    postgres_port: u16,
    #[arg(long)]
    redis_port: u16,
    /// About a second each, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// How many clients call at once; 16 without it.
    #[arg(long)]
    clients: Option<usize>,
    /// Only scenarios whose names contain this.
    #[arg(long)]
    only: Option<String>,
    /// Also print the SQL and the Redis commands of each request to standard error.
    #[arg(long)]
    statements: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Bare { listen } => actix_web::rt::System::new().block_on(bare::serve(listen)).map_err(Failure::from),
        Command::Simulator { listen } => actix_web::rt::System::new().block_on(simulator::serve(listen)),
        Command::Run(args) => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &RunArgs) -> Result<(), Failure> {
    // One thread: the generator must leave the other cores to what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure::run(args))?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&report)?)?;
    Ok(())
}

/// Progress, for whoever waits.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "bench: {text}");
}
