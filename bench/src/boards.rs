//! A board with a million people: how long its sorted set takes to make, what it weighs, and how fast Redis alone answers what a
//! leaderboard asks it.

use std::process::Command;
use std::time::Instant;

use entities::ids::PlaceId;
use linli::demo::place_id;
use linli::points::board::{self, Name};
use linli::points::domain::Period;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::{Failure, limits, people, say};

/// Nobody else earns points there.
const COMMUNITY: &str = "/jiangan/qiuchang/anjing/";

/// Whose board it is.
pub fn community() -> PlaceId {
    place_id(COMMUNITY)
}

fn name(stage: &Stage) -> Name {
    Name::now(&stage.state, community(), Period::Month)
}

/// Puts so many people on the board, and `readers` who stand all over it; makes its sorted set.
pub async fn fill(stage: &Stage, members: u32, readers: u32) -> Result<Value, Failure> {
    say(&format!("a board of {members} people"));
    let name = name(stage);
    let connection = stage.state.db.read();
    let start = Instant::now();
    let (community, period) = (name.community, &name.period);
    let person = "('0be9b000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid";
    let reader = people::SQL_ID.replace(":n::bigint", "i");
    for statement in [
        format!(
            "INSERT INTO users (id, openid, nickname, board_opt_out, last_login_at, created_at)
             SELECT {person}, 'bench-board-' || i, '李' || i, false, now(), now() FROM generate_series(1, {members}) AS i"
        ),
        format!(
            "INSERT INTO points_scores (community_id, period, user_id, points, reached_at, version, boarded)
             SELECT '{community}', '{period}', {person}, 1 + i::bigint * 7919 % 3000,
                    date_trunc('second', now()) - i % 500000 * interval '1 second', 1, 1 FROM generate_series(1, {members}) AS i"
        ),
        format!(
            "INSERT INTO points_scores (community_id, period, user_id, points, reached_at, version, boarded)
             SELECT '{community}', '{period}', ({reader})::uuid, 1 + i * 29 % 3000, date_trunc('second', now()), 1, 1
             FROM generate_series(0, {readers} - 1) AS i"
        ),
        "VACUUM ANALYZE users".to_owned(),
        "VACUUM ANALYZE points_scores".to_owned(),
    ] {
        connection.execute_unprepared(&statement).await?;
    }
    let filled = start.elapsed().as_secs_f64();
    let before = redis_number(stage, &["INFO", "memory"], "used_memory:")?;
    let start = Instant::now();
    if !board::rebuild(&stage.state, &name).await? {
        return Err("the board's set was not made".into());
    }
    let rebuilt = start.elapsed().as_secs_f64();
    let after = redis_number(stage, &["INFO", "memory"], "used_memory:")?;
    let mut rows = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        board::read_rows(&stage.state, &name, Period::Month, people::id(readers / 2), 10).await?;
        rows.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    rows.sort_by(f64::total_cmp);
    Ok(json!({
        "members": members + readers,
        "fill_seconds": rounded(filled),
        "rebuild_seconds": rounded(rebuilt),
        "redis_mb": rounded((after - before) / 1024.0 / 1024.0),
        "from_the_rows_ms": rows.get(1).map(|ms| rounded(*ms)),
    }))
}

/// What redis-benchmark does with the same set, beside what Linli did with it.
pub fn beside(stage: &Stage, mut report: Value, per_second: f64, clients: usize) -> Result<Value, Failure> {
    let key = format!("{}{}", stage.state.config.redis_prefix, name(stage).key());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let page = vec![words(&["ZREVRANGE", &key, "0", "9", "WITHSCORES"])];
    let rank = vec![words(&["ZREVRANK", &key, &people::id(50).to_string()])];
    let (page, rank) = (limits::redis(stage, &page, clients)?, limits::redis(stage, &rank, clients)?);
    let both = 1.0 / (1.0 / page + 1.0 / rank);
    let bytes = redis_number(stage, &["MEMORY", "USAGE", &key, "SAMPLES", "0"], "")?;
    if let Some(report) = report.as_object_mut() {
        report.insert("redis_key_mb".to_owned(), json!(rounded(bytes / 1024.0 / 1024.0)));
        report.insert("leaderboards_per_second".to_owned(), json!(per_second.round()));
        report.insert("zrevrange_per_second".to_owned(), json!(page.round()));
        report.insert("zrevrank_per_second".to_owned(), json!(rank.round()));
        report.insert("both_in_turn_per_second".to_owned(), json!(both.round()));
        report.insert("ratio_to_both".to_owned(), json!(rounded(per_second / both)));
    }
    Ok(report)
}

/// Takes the people off the board again: the ledger knows nothing of their points.
pub async fn clear(stage: &Stage) -> Result<(), Failure> {
    let name = name(stage);
    stage.state.cache.delete(&name.key()).await?;
    let delete = format!("DELETE FROM points_scores WHERE community_id = '{}'", name.community);
    stage.state.db.read().execute_unprepared(&delete).await?;
    Ok(())
}

/// Two decimals.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The number after `label` in what Redis answers.
fn redis_number(stage: &Stage, command: &[&str], label: &str) -> Result<f64, Failure> {
    let mut cli = Command::new("redis-cli");
    cli.args(["-h", "127.0.0.1", "-p", &stage.redis.port().to_string()]).args(command);
    let output = cli.output().map_err(|error| format!("redis-cli: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.lines().find_map(|line| line.strip_prefix(label)?.trim().parse().ok());
    number.ok_or_else(|| format!("redis-cli said {text}").into())
}
