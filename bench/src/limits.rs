//! How fast the machine does the parts of a request alone: the answer through bare actix, the statements through pgbench, the
//! commands through redis-benchmark.

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::Failure;
use crate::load::{Amount, Client, Load, request};
use crate::stage::Stage;

/// Requests of one redis-benchmark.
const REDIS_REQUESTS: u32 = 40_000;

/// Answers a second of bare actix that gives `answer`; the request has a body where the measured one has.
pub async fn bare(
    stage: &Stage,
    answer: &Value,
    body: Option<&Value>,
    clients: usize,
    time: Duration,
) -> Result<f64, Failure> {
    let mut client = Client::connect(stage.bare).await?;
    client.json(&request("PUT", "/answer", None, Some(answer)), 200).await?;
    // As long as a token of Linli's: the bytes on the way are the same.
    let token = "x".repeat(250);
    let method = if body.is_some() { "POST" } else { "GET" };
    let requests = Arc::from([request(method, "/", Some(&token), body)]);
    let load = Load { address: stage.bare, requests, clients, status: 200, contains: "", amount: Amount::For(time) };
    let outcome = load.run().await?;
    if outcome.errors > 0 { Err("bare actix failed".into()) } else { Ok(outcome.per_second) }
}

/// How long pgbench runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// Each client so many transactions, for the people from a number on.
    People { from: u32, each: u32 },
    /// So many seconds, always for the same people.
    Seconds(u64),
}

/// Transactions a second of pgbench, one a request. `script` uses the variable `n` for the person's number.
pub fn pgbench(stage: &Stage, name: &str, script: &str, clients: usize, run: Run) -> Result<f64, Failure> {
    let file = stage.folder.join(format!("{}.sql", name.replace(' ', "-")));
    let (from, of) = match run {
        Run::People { from, .. } => (from, "i"),
        Run::Seconds(_) => (0, "(i % 5)"),
    };
    let of = of.replace('i', ":i");
    std::fs::write(&file, format!("\\set i :i + 1\n\\set n {from} + {of} * {clients} + :client_id\n{script}"))?;
    let mut command = Command::new("pgbench");
    command.args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--define=i=-1", "--host=127.0.0.1"]);
    command.args(["--username=postgres".to_owned(), format!("--port={}", stage.postgres_port)]);
    command.args([format!("--client={clients}"), format!("--file={}", file.display())]);
    command.arg(match run {
        Run::People { each, .. } => format!("--transactions={each}"),
        Run::Seconds(seconds) => format!("--time={seconds}"),
    });
    let output = command.arg(Stage::database()).output().map_err(|error| format!("pgbench: {error}"))?;
    let text = said("pgbench", &output)?;
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    tps.ok_or_else(|| format!("pgbench said {text}").into())
}

/// Requests a second of redis-benchmark that sends these commands one after the other.
pub fn redis(stage: &Stage, commands: &[Vec<String>], clients: usize) -> Result<f64, Failure> {
    let mut seconds = 0.0;
    for command in commands {
        let mut benchmark = Command::new("redis-benchmark");
        benchmark.args(["-h", "127.0.0.1", "--csv", "-p", &stage.redis.port().to_string()]);
        benchmark.args(["-c", &clients.to_string(), "-n", &REDIS_REQUESTS.to_string()]).args(command);
        let output = benchmark.output().map_err(|error| format!("redis-benchmark: {error}"))?;
        let text = said("redis-benchmark", &output)?;
        // A header, and "the command","12345.6",…: the command may hold anything, so that columns count from the end.
        let mut lines = text.lines();
        let columns = lines.next().unwrap_or_default().split("\",\"").count();
        let row = lines.next().unwrap_or_default().trim_end_matches('"');
        let field = row.rsplit("\",\"").nth(columns.saturating_sub(2));
        let per_second = field.and_then(|field| field.parse::<f64>().ok());
        seconds += 1.0 / per_second.ok_or_else(|| format!("redis-benchmark said {text}"))?;
    }
    Ok(1.0 / seconds)
}

fn said(program: &str, output: &Output) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr)).into())
}
