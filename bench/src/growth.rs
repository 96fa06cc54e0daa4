//! What the ledger's commands take with a hundred times the history: the same wallets, measured with few entries and with many.

use std::time::{Duration, Instant};

use entities::ids::{AccountId, UserId};
use entities::ledger::transfer;
use linli::ledger::{self, Party, Transaction, TransactionKind, Transfer};
use linli::platform::http::{Paging, Problem, transact};
use linli::platform::ids;
use linli::platform::state::AppState;
use linli::points::{self, Award};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;
use crate::{Failure, people, say};

/// What it is called.
pub const NAME: &str = "ledger growth";
/// Wallets; each with [`OPEN`] lots that can be spent, at any size.
const WALLETS: u32 = 200;
const OPEN: u32 = 10;
/// Calls of each operation, one after the other; the median counts.
const CALLS: u32 = 600;

const OPERATIONS: [&str; 4] = ["balance read", "entries read", "award", "hold and post"];

/// Medians at both sizes, and what the larger costs in terms of the smaller.
pub async fn measure(stage: &Stage, quick: bool) -> Result<Value, Failure> {
    let app = &stage.state;
    let sizes = if quick { [10_000, 100_000] } else { [10_000, 1_000_000] };
    open(app).await?;
    prepare(app).await?;
    let mut done = 0;
    let mut medians = Vec::new();
    for entries in sizes {
        say(&format!("{NAME}: {entries} entries"));
        // A transfer is two entries. A wallet gets its open lots first, and then pairs of what it gets and spends.
        let rounds = OPEN + (entries / 2 / WALLETS).saturating_sub(OPEN) / 2;
        fill(app, done, rounds).await?;
        done = rounds;
        crate::measure::settle(stage).await?;
        medians.push(medians_now(app).await?);
    }

    let operations = OPERATIONS.iter().enumerate().map(|(at, name)| {
        let micros = |size: &Vec<Duration>| size.get(at).map_or(0.0, |median| (median.as_secs_f64() * 1e6).round());
        let [few, many] = [medians.first(), medians.last()].map(|size| size.map_or(0.0, micros));
        let ratio = (many / few * 100.0).round() / 100.0;
        say(&format!("  {name}: {few} µs, {many} µs, {ratio} times"));
        json!({ "name": name, "median_us": [few, many], "ratio": ratio })
    });
    let operations: Vec<Value> = operations.collect();
    let real = transfer::Entity::find().count(app.db.read()).await? * 2;
    Ok(
        json!({ "entries": sizes, "entries_at_the_end": real, "wallets": WALLETS, "calls": CALLS, "operations": operations }),
    )
}

fn owner(number: u32) -> UserId {
    people::id(number % WALLETS)
}

/// A transaction between a wallet and the community, of one point.
fn point(state: &AppState, kind: TransactionKind, from: Party, to: Party) -> Transaction<'static> {
    Transaction {
        id: ids::ordered(&state.clock),
        community_id: people::community(),
        kind,
        transfers: vec![Transfer { from, to, amount: 1, expires_at: None }],
        dedupe_key: None,
        reason: "测量",
        actor: None,
        source: ("bench", Uuid::nil()),
        at: state.clock.now(),
    }
}

/// Makes the wallets, and the accounts that they get from and pay to.
async fn open(state: &AppState) -> Result<(), Failure> {
    for number in 0..WALLETS {
        let wallet = Party::Person(owner(number));
        transact(state, async |txn| {
            ledger::record(state, txn, &point(state, TransactionKind::Budget, Party::Issuance, wallet)).await?;
            ledger::record(state, txn, &point(state, TransactionKind::Payment, wallet, Party::Spent)).await
        })
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn prepare(state: &AppState) -> Result<(), DbErr> {
    // Ids that are ordered by time, as Linli makes them.
    let function = "
        CREATE FUNCTION bench_fill_id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
            SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
                    || substr(md5(n::text), 4, 15))::uuid $$";
    state.db.read().execute_unprepared(function).await.map(drop)
}

/// History from one round to another: each wallet gets 10 points and spends them; the first rounds it only gets.
async fn fill(state: &AppState, from: u32, to: u32) -> Result<(), Failure> {
    let community = people::community();
    let account = |party| -> AccountId { ledger::account_id(community, party) };
    let (issuance, spent) = (account(Party::Issuance), account(Party::Spent));
    let wallets: Vec<String> =
        (0..WALLETS).map(|number| format!("('{}'::uuid)", account(Party::Person(owner(number))))).collect();
    let statements = [
        // What refers to what is right by construction; to check it would take longer than to write it.
        "SET LOCAL session_replication_role = replica".to_owned(),
        format!(
            "CREATE TEMP TABLE bench_fill ON COMMIT DROP AS
             SELECT 2 * (k * {WALLETS}::bigint + w.number) + side AS n, w.id AS wallet, side
             FROM (SELECT id, row_number() OVER () - 1 AS number FROM (VALUES {}) AS v (id)) AS w,
                  generate_series({from}, {to} - 1) AS k, generate_series(0, 1) AS side
             WHERE side = 0 OR k >= {OPEN}
             ORDER BY 1",
            wallets.join(", ")
        ),
        format!(
            "INSERT INTO ledger_transactions (id, unit, community_id, kind, phase, transfers, reason, source_kind, created_at)
             SELECT bench_fill_id(n), 'points', '{community}', CASE side WHEN 0 THEN 'budget' ELSE 'payment' END, 'posted', 1,
                    '测量', 'bench', now() - interval '1 day'
             FROM bench_fill"
        ),
        format!(
            "INSERT INTO ledger_transfers (id, transaction_id, unit, community_id, debit_id, credit_id, amount)
             SELECT bench_fill_id(n), bench_fill_id(n), 'points', '{community}',
                    CASE side WHEN 0 THEN '{issuance}' ELSE wallet END, CASE side WHEN 0 THEN wallet ELSE '{spent}' END, 10
             FROM bench_fill"
        ),
        format!(
            "INSERT INTO ledger_lots (id, wallet_id, amount, remaining, expires_at, created_at)
             SELECT bench_fill_id(n), wallet, 10, CASE WHEN n < 2 * {OPEN} * {WALLETS}::bigint THEN 10 ELSE 0 END,
                    now() + interval '1 year', now() - interval '1 day'
             FROM bench_fill WHERE side = 0"
        ),
        "INSERT INTO ledger_lot_moves (transaction_id, lot_id, amount)
         SELECT bench_fill_id(n), bench_fill_id(n - 1), -10 FROM bench_fill WHERE side = 1"
            .to_owned(),
        format!(
            "UPDATE ledger_accounts SET posted = posted + 10 * opened.rounds
             FROM (SELECT wallet, count(*) AS rounds FROM bench_fill WHERE side = 0 AND n < 2 * {OPEN} * {WALLETS}::bigint
                   GROUP BY wallet) AS opened
             WHERE id = opened.wallet"
        ),
    ];
    let txn = state.db.begin().await?;
    for statement in statements {
        txn.execute_unprepared(&statement).await?;
    }
    txn.commit().await?;
    Ok(())
}

/// The median of each of [`OPERATIONS`], in turn, so that what else the machine does meets all of them.
async fn medians_now(state: &AppState) -> Result<Vec<Duration>, Failure> {
    let community = people::community();
    let mut times: [Vec<Duration>; 4] = Default::default();
    let paging = Paging::new(&state.keys, None, None).map_err(failed)?;
    for number in 0..CALLS {
        let person = owner(number * 7);
        let mut taken = Vec::new();
        let start = Instant::now();
        ledger::balance(state.db.read(), community, person, state.clock.now()).await.map_err(failed)?;
        taken.push(start.elapsed());

        let start = Instant::now();
        ledger::entries(state.db.read(), community, person, &paging).await.map_err(failed)?;
        taken.push(start.elapsed());

        let award = Award {
            community_id: community,
            person,
            amount: 1,
            rule: "bench.growth",
            source: ("bench", ids::unordered()),
            reason: "测量".to_owned(),
            actor: None,
        };
        let start = Instant::now();
        transact(state, async |txn| points::award(state, txn, &award).await).await.map_err(failed)?;
        taken.push(start.elapsed());

        let spend = point(state, TransactionKind::Payment, Party::Person(person), Party::Spent);
        let start = Instant::now();
        transact(state, async |txn| {
            ledger::hold(state, txn, &spend).await?;
            ledger::post(state, txn, spend.id, None).await
        })
        .await
        .map_err(failed)?;
        taken.push(start.elapsed());
        times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
    }
    Ok(times.into_iter().map(median).collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn failed(problem: Problem) -> Failure {
    format!("{problem:?}").into()
}
