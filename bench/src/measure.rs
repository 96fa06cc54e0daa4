//! The order of a run, and its report.

use std::time::{Duration, Instant};

use linli::verify;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement as Query};
use serde_json::{Value, json};

use crate::limits::{self, Run};
use crate::load::{Client, Outcome};
use crate::scenarios::{self, Scenario, Size};
use crate::stage::{Pids, Stage};
use crate::traffic::{self, Traffic};
use crate::{Failure, RunArgs, boards, growth, machine, people, say};

const FULL: Size =
    Size { rounds: 3, people: 2000, time: Duration::from_millis(2500), clients: 16, board: 1_000_000, needs: 50_000 };
const QUICK: Size =
    Size { rounds: 1, people: 208, time: Duration::from_secs(1), clients: 16, board: 50_000, needs: 5_000 };
/// pgbench reads for so long.
const PGBENCH_SECONDS: u64 = 1;

/// Measures everything and gives the report.
pub async fn run(args: &RunArgs) -> Result<Value, Failure> {
    let start = Instant::now();
    let size = Size { clients: args.clients.unwrap_or(FULL.clients), ..if args.quick { QUICK } else { FULL } };
    let mut machine = machine::describe();
    say("starting Linli, its worker, a WeChat simulator and a bare actix");
    let stage = Stage::build(args).await?;
    people::seed(&stage.state, size.residents(), scenarios::STAFF).await?;
    let pids = stage.pids();
    let idle = memory(pids);
    let generator = generator(&stage, size).await?;
    let mut reports = Vec::new();
    let mut board = Value::Null;
    let wanted = |scenario: &Scenario| args.only.as_ref().is_none_or(|part| scenario.name().contains(part.as_str()));
    for scenario in scenarios::ALL.into_iter().filter(wanted) {
        if scenario == Scenario::LargeBoard {
            let filled = boards::fill(&stage, size.board, size.residents()).await?;
            let report = measure(&stage, scenario, size, args.statements).await?;
            let per_second = report.get("requests_per_second").and_then(Value::as_f64).unwrap_or_default();
            board = boards::beside(&stage, filled, per_second, size.clients)?;
            reports.push(report);
            boards::clear(&stage).await?;
            continue;
        }
        reports.push(measure(&stage, scenario, size, args.statements).await?);
    }
    let growth = if args.only.as_ref().is_none_or(|part| growth::NAME.contains(part.as_str())) {
        growth::measure(&stage, args.quick).await?
    } else {
        Value::Null
    };
    jobs_done(&stage).await?;
    let loaded = memory(pids);
    say("auditing what was written");
    let findings = verify::run(&stage.state).await?;
    if let Some(machine) = machine.as_object_mut() {
        machine.insert("load_average_after".to_owned(), machine::load_average());
    }
    Ok(json!({
        "commit": machine::commit(),
        "machine": machine,
        "quick": args.quick,
        "clients": size.clients,
        "people": size.residents(),
        "generator": generator,
        "scenarios": reports,
        "ledger_growth": growth,
        "large_board": board,
        "memory_mb": { "idle": idle, "after": loaded },
        "verify_findings": findings,
        "seconds": start.elapsed().as_secs(),
    }))
}

/// What the generator itself can do: the smallest answer of bare actix.
async fn generator(stage: &Stage, size: Size) -> Result<Value, Failure> {
    let (own, bare) = (std::process::id(), stage.pids().bare);
    let before = (machine::own_cpu_micros(own), machine::cpu_micros(bare));
    let start = Instant::now();
    let per_second = limits::bare(stage, &json!({ "hello": "world" }), None, size.clients, size.time).await?;
    let requests = per_second * start.elapsed().as_secs_f64();
    let used = |now: u64, before: u64| rounded(micros(now.saturating_sub(before)) / requests);
    Ok(json!({
        "against": "bare actix, {\"hello\":\"world\"}",
        "per_second": per_second.round(),
        "generator_cpu_us_per_request": used(machine::own_cpu_micros(own), before.0),
        "actix_cpu_us_per_request": used(machine::cpu_micros(bare), before.1),
    }))
}

fn micros(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1e6
}

/// One decimal.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn memory(pids: Pids) -> Value {
    json!({
        "server": rounded(machine::resident_mb(pids.server)),
        "worker": rounded(machine::resident_mb(pids.worker)),
    })
}

/// Microseconds of CPU of all that take part, in the order of [`PARTS`].
type Cpu = [u64; 5];

const PARTS: [&str; 5] = ["server", "worker", "postgresql", "redis", "simulator"];

fn cpu(pids: Pids) -> Cpu {
    [pids.server, pids.worker, pids.postgres, pids.redis, pids.simulator].map(machine::cpu_micros)
}

fn cpu_report(used: Cpu, requests: u32) -> Value {
    let each = used.map(|used| rounded(micros(used) / f64::from(requests.max(1))));
    PARTS.into_iter().zip(each).map(|(part, micros)| (part.to_owned(), json!(micros))).collect()
}

/// Waits until the worker has nothing left to do.
async fn jobs_done(stage: &Stage) -> Result<(), Failure> {
    #[derive(FromQueryResult)]
    struct Count {
        due: i64,
    }
    let connection = stage.state.db.read();
    let start = Instant::now();
    loop {
        let sql = "SELECT count(*) AS due FROM jobs WHERE state <> 'parked' AND run_at <= now()";
        let due = Count::find_by_statement(Query::from_string(connection.get_database_backend(), sql));
        let due = due.one(connection).await?.map_or(0, |count| count.due);
        if due == 0 {
            return Ok(());
        }
        if start.elapsed() > Duration::from_secs(30) {
            say(&format!("{due} jobs are left"));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Records the request of two people, and gives one's answer with it.
async fn probe(stage: &Stage, script: &scenarios::Script, writes: bool) -> Result<(Value, Traffic, Traffic), Failure> {
    let mut client = Client::connect(stage.server).await?;
    let mut answer = Value::Null;
    let mut traffic = Vec::new();
    for (_, request) in &script.probes {
        if !writes {
            // The first read of a person also looks for their grants, which are then kept for some seconds.
            client.json(request, 200).await?;
        }
        traffic.push(
            traffic::record(stage, async || {
                answer = client.json(request, script.status).await?;
                Ok(())
            })
            .await?,
        );
    }
    let [one, other] = traffic.try_into().map_err(|_more| "two recordings")?;
    Ok((answer, one, other))
}

async fn measure(stage: &Stage, scenario: Scenario, size: Size, print: bool) -> Result<Value, Failure> {
    let name = scenario.name();
    say(name);
    let script = scenarios::prepare(stage, scenario, size).await?;
    jobs_done(stage).await?;
    let (answer, traffic, other) = probe(stage, &script, scenario.writes()).await?;
    if print {
        for statement in &traffic.statements {
            say(&format!("  {}", statement.sql));
        }
        for command in &traffic.commands {
            say(&format!("  redis {}", command.join(" ")));
        }
    }
    let person = script.probes.first().map(|(person, _)| person.0).unwrap_or_default();
    let sql = traffic::script(&traffic.statements, &other.statements, person, scenario.salt(), &script.rows)?;
    settle(stage).await?;
    let part = Part { stage, scenario, size, answer, sql, commands: traffic.commands };
    let rounds = part.rounds(&script).await?;

    let mut rates = rounds.rates.clone();
    let per_second = median(&mut rates);
    let limits: Vec<Limit> = [
        ("bare actix with the same bytes".to_owned(), rounds.bare),
        (format!("pgbench with the same {} statements", traffic.statements.len()), rounds.postgres),
        (format!("redis-benchmark with the same {} commands", part.commands.len()), rounds.redis),
        ("the WeChat simulator alone".to_owned(), rounds.simulator),
    ]
    .into_iter()
    .filter(|(_, rates)| !rates.is_empty())
    .map(|(what, mut rates)| Limit { what, per_second: median(&mut rates) })
    .collect();
    let narrowest = limits.iter().min_by(|one, other| one.per_second.total_cmp(&other.per_second));
    // If the parts of a request were done one after the other and nothing else was.
    let together = 1.0 / limits.iter().map(|limit| 1.0 / limit.per_second).sum::<f64>();
    let outcome = rounds.outcome;
    say(&format!("  {per_second:.0}/s, {}", narrowest.map_or_else(String::new, |limit| limit.said(per_second))));
    if let Some(error) = &outcome.error {
        say(&format!("  {} errors, such as {error}", outcome.errors));
    }
    Ok(json!({
        "name": name,
        "route": scenario.route(),
        "requests_per_second": per_second.round(),
        "rounds": rounds.rates.iter().map(|rate| rate.round()).collect::<Vec<_>>(),
        "p50_ms": outcome.percentile(50),
        "p99_ms": outcome.percentile(99),
        "requests": outcome.sent,
        "errors": outcome.errors,
        "error": outcome.error,
        "answer_bytes": part.answer.to_string().len(),
        "statements": traffic.statements.len(),
        "redis_commands": part.commands.len(),
        "cpu_us_per_request": cpu_report(rounds.used, outcome.sent),
        "limit": narrowest.map(|limit| limit.report(per_second)),
        "ratio": narrowest.map(|limit| ratio(per_second, limit.per_second)),
        "limits": limits.iter().map(|limit| limit.report(per_second)).collect::<Vec<_>>(),
        "ratio_to_all_limits_in_turn": ratio(per_second, together),
    }))
}

/// A scenario that is about to run.
struct Part<'a> {
    stage: &'a Stage,
    scenario: Scenario,
    size: Size,
    /// What bare actix answers.
    answer: Value,
    /// What pgbench asks; empty for nothing.
    sql: String,
    /// What Redis is asked.
    commands: Vec<Vec<String>>,
}

/// What came of its rounds: rates a second, of Linli and of each limit, and everything about Linli's answers.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    bare: Vec<f64>,
    postgres: Vec<f64>,
    redis: Vec<f64>,
    simulator: Vec<f64>,
    outcome: Outcome,
    used: Cpu,
}

impl Part<'_> {
    /// In each round Linli first and then its limits, so that what else the machine does meets all of them.
    async fn rounds(&self, script: &scenarios::Script) -> Result<Rounds, Failure> {
        let Self { stage, size, .. } = *self;
        let mut rounds = Rounds::default();
        let mut wechat = script.simulator.iter();
        for (round, load) in (0..).zip(&script.rounds) {
            let before = cpu(stage.pids());
            let outcome = load.run().await?;
            for ((sum, now), before) in rounds.used.iter_mut().zip(cpu(stage.pids())).zip(before) {
                *sum += now.saturating_sub(before);
            }
            rounds.rates.push(outcome.per_second);
            rounds.outcome.add(outcome);
            jobs_done(stage).await?;

            let bare = limits::bare(stage, &self.answer, script.body.as_ref(), size.clients, size.time / 2);
            rounds.bare.push(bare.await?);
            if !self.sql.is_empty() {
                let run = if self.scenario.writes() {
                    Run::People { from: round * size.people, each: size.people / u32::try_from(size.clients)? }
                } else {
                    Run::Seconds(PGBENCH_SECONDS)
                };
                rounds.postgres.push(limits::pgbench(stage, self.scenario.name(), &self.sql, size.clients, run)?);
            }
            if !self.commands.is_empty() {
                rounds.redis.push(limits::redis(stage, &self.commands, size.clients)?);
            }
            if let Some(load) = wechat.next() {
                rounds.simulator.push(load.run().await?.per_second);
            }
        }
        rounds.outcome.micros.sort_unstable();
        Ok(rounds)
    }
}

/// So that no round pays for what was written before, and PostgreSQL knows its tables as it does in the long run.
pub async fn settle(stage: &Stage) -> Result<(), DbErr> {
    for statement in ["VACUUM ANALYZE", "CHECKPOINT"] {
        stage.state.db.read().execute_unprepared(statement).await?;
    }
    Ok(())
}

struct Limit {
    what: String,
    per_second: f64,
}

impl Limit {
    fn report(&self, measured: f64) -> Value {
        json!({
            "what": self.what,
            "per_second": self.per_second.round(),
            "ratio": ratio(measured, self.per_second),
        })
    }

    fn said(&self, measured: f64) -> String {
        format!("{:.2} of {} ({:.0}/s)", ratio(measured, self.per_second), self.what, self.per_second)
    }
}

/// Two decimals.
fn ratio(measured: f64, limit: f64) -> f64 {
    (measured / limit * 100.0).round() / 100.0
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
