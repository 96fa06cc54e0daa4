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
use crate::{Failure, RunArgs, machine, people, say};

const FULL: Size = Size { rounds: 3, people: 2000, time: Duration::from_millis(2500), clients: 16 };
const QUICK: Size = Size { rounds: 1, people: 208, time: Duration::from_secs(1), clients: 16 };
/// pgbench reads for so long.
const PGBENCH_SECONDS: u64 = 1;

/// Measures everything and gives the report.
pub async fn run(args: &RunArgs) -> Result<Value, Failure> {
    let start = Instant::now();
    let size = if args.quick { QUICK } else { FULL };
    let mut machine = machine::describe();
    say("starting Linli, its worker, a WeChat simulator and a bare actix");
    let stage = Stage::build(args).await?;
    people::seed(&stage.state, size.residents(), scenarios::STAFF).await?;
    stage.state.db.read().execute_unprepared("ANALYZE").await?;
    let pids = stage.pids();
    let idle = memory(pids);
    let generator = generator(&stage, size).await?;
    let mut reports = Vec::new();
    let wanted = |scenario: &Scenario| args.only.as_ref().is_none_or(|part| scenario.name().contains(part.as_str()));
    for scenario in scenarios::ALL.into_iter().filter(wanted) {
        reports.push(measure(&stage, scenario, size, args.statements).await?);
    }
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

/// CPU of all that take part, in microseconds.
fn cpu(pids: Pids) -> [(&'static str, u64); 5] {
    [
        ("server", machine::cpu_micros(pids.server)),
        ("worker", machine::cpu_micros(pids.worker)),
        ("postgresql", machine::cpu_micros(pids.postgres)),
        ("redis", machine::cpu_micros(pids.redis)),
        ("simulator", machine::cpu_micros(pids.simulator)),
    ]
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
                answer = client.json(request, 200).await?;
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
    let sql = match script.probes.first() {
        Some((person, _)) if !traffic.statements.is_empty() => {
            Some(traffic::script(&traffic.statements, &other.statements, person.0, scenario.salt())?)
        }
        _ => None,
    };
    checkpoint(stage).await?;
    let mut all = Outcome::default();
    let mut rates = Vec::new();
    let mut used = [0; 5];
    let mut limits: [(String, Vec<f64>); 4] = [
        ("bare actix with the same bytes".to_owned(), Vec::new()),
        (format!("pgbench with the same {} statements", traffic.statements.len()), Vec::new()),
        (format!("redis-benchmark with the same {} commands", traffic.commands.len()), Vec::new()),
        ("the WeChat simulator alone".to_owned(), Vec::new()),
    ];
    let mut wechat = script.simulator.iter();
    for (round, load) in (0..).zip(&script.rounds) {
        let before = cpu(stage.pids());
        let outcome = load.run().await?;
        for ((sum, (_, now)), (_, before)) in used.iter_mut().zip(cpu(stage.pids())).zip(before) {
            *sum += now.saturating_sub(before);
        }
        rates.push(outcome.per_second);
        all.sent += outcome.sent;
        all.errors += outcome.errors;
        all.micros.extend(outcome.micros);
        all.error = all.error.or(outcome.error);
        jobs_done(stage).await?;

        let [bare, postgres, redis, simulator] = &mut limits;
        bare.1.push(limits::bare(stage, &answer, script.body.as_ref(), size.clients, size.time / 2).await?);
        if let Some(sql) = &sql {
            let run = if scenario.writes() {
                let each = size.people / u32::try_from(size.clients)?;
                Run::People { from: round * size.people, each }
            } else {
                Run::Seconds(PGBENCH_SECONDS)
            };
            postgres.1.push(limits::pgbench(stage, name, sql, size.clients, run)?);
        }
        if !traffic.commands.is_empty() {
            redis.1.push(limits::redis(stage, &traffic.commands, size.clients)?);
        }
        if let Some(load) = wechat.next() {
            simulator.1.push(load.run().await?.per_second);
        }
    }
    all.micros.sort_unstable();
    let per_second = median(&mut rates.clone());
    let limits: Vec<Limit> = limits
        .into_iter()
        .filter(|(_, rates)| !rates.is_empty())
        .map(|(what, mut rates)| Limit { what, per_second: median(&mut rates) })
        .collect();
    let narrowest = limits.iter().min_by(|one, other| one.per_second.total_cmp(&other.per_second));
    // If the parts of a request were done one after the other and nothing else was.
    let together = 1.0 / limits.iter().map(|limit| 1.0 / limit.per_second).sum::<f64>();
    let requests = f64::from(all.sent.max(1));
    let parts = cpu(stage.pids()).map(|(part, _)| part);
    let cpu: serde_json::Map<_, _> = parts
        .iter()
        .zip(used)
        .map(|(part, used)| ((*part).to_owned(), json!(rounded(micros(used) / requests))))
        .collect();
    say(&format!("  {:.0}/s, {}", per_second, narrowest.map_or_else(String::new, |limit| limit.said(per_second))));
    if let Some(error) = &all.error {
        say(&format!("  {} errors, such as {error}", all.errors));
    }
    Ok(json!({
        "name": name,
        "route": scenario.route(),
        "requests_per_second": per_second.round(),
        "rounds": rates.iter().map(|rate| rate.round()).collect::<Vec<_>>(),
        "p50_ms": all.percentile(50),
        "p99_ms": all.percentile(99),
        "requests": all.sent,
        "errors": all.errors,
        "error": all.error,
        "answer_bytes": answer.to_string().len(),
        "statements": traffic.statements.len(),
        "redis_commands": traffic.commands.len(),
        "cpu_us_per_request": cpu,
        "limit": narrowest.map(|limit| limit.report(per_second)),
        "ratio": narrowest.map(|limit| ratio(per_second, limit.per_second)),
        "limits": limits.iter().map(|limit| limit.report(per_second)).collect::<Vec<_>>(),
        "ratio_to_all_limits_in_turn": ratio(per_second, together),
    }))
}

/// So that no round pays for what was written before.
async fn checkpoint(stage: &Stage) -> Result<(), DbErr> {
    stage.state.db.read().execute_unprepared("CHECKPOINT").await.map(|_| ())
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
