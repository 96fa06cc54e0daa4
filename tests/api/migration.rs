//! Databases of earlier versions, with data in them, brought up to date.

use entities::ids::{AccountId, TransferId};
use entities::ledger::lot;
use entities::rewards::{RedemptionState, redemption};
use entities::volunteering::{service_record, signup};
use linli::ledger::{self, Balance, Party};
use linli::platform::clock::Clock;
use linli::platform::db::Db;
use linli::platform::http::{Paging, transact};
use linli::platform::ids;
use linli::platform::state::AppState;
use linli::{app, points, verify};
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, Statement, Value,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Fresh, GUANGHUA, config, place_id, user_id};

/// Migrations of the release whose ledger had no transactions and lots.
const FIRST_RELEASE: u32 = 10;

/// The only place there is.
const PATH: &str = "/guanghua/";

/// Statements to a database of an earlier version.
struct Old {
    connection: DatabaseConnection,
}

impl Old {
    async fn run(&self, sql: &str, values: Vec<Value>) {
        let statement = Statement::from_sql_and_values(self.connection.get_database_backend(), sql, values);
        self.connection.execute_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn transfer(&self, clock: &Clock, transfer: OldTransfer) -> TransferId {
        let id: TransferId = ids::ordered(clock);
        let OldTransfer { kind, phase, pending, debit, credit, amount, key, source } = transfer;
        let values = vec![
            id.into(),
            kind.into(),
            phase.into(),
            pending.into(),
            debit.into(),
            credit.into(),
            amount.into(),
            key.into(),
            source.0.into(),
            source.1.into(),
            clock.now().into(),
        ];
        self.run(
            "INSERT INTO ledger_transfers (id, kind, phase, pending_id, debit_id, credit_id, amount, dedupe_key, reason,
                 source_kind, source_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '旧账', $9, $10, $11)",
            values,
        )
        .await;
        id
    }
}

struct OldTransfer {
    kind: &'static str,
    phase: &'static str,
    pending: Option<TransferId>,
    debit: AccountId,
    credit: AccountId,
    amount: i64,
    key: Option<String>,
    source: (&'static str, Uuid),
}

/// Points, and redemptions of every state, one with an open hold, as the first release wrote them.
async fn first_release(old: &Old, clock: &Clock) {
    let community = place_id(GUANGHUA);
    let now = clock.now();
    let [issuance, spent] = [Party::Issuance, Party::Spent].map(|party| ledger::account_id(community, party));
    let account = async |id: AccountId, kind: &str, owner: Uuid, posted: i64, reserved: i64| {
        old.run(
            "INSERT INTO ledger_accounts (id, unit, kind, community_id, owner_id, posted, reserved, created_at)
             VALUES ($1, 'points', $2, $3, $4, $5, $6, $7)",
            vec![id.into(), kind.into(), community.into(), owner.into(), posted.into(), reserved.into(), now.into()],
        )
        .await;
    };
    account(issuance, "issuance", community.0, 0, 0).await;
    account(spent, "spent", community.0, 0, 0).await;
    let reward: Uuid = ids::ordered(clock);
    old.run(
        "INSERT INTO rewards (id, community_id, place_id, place_path, title, cost, stock, available, created_by, created_at)
         VALUES ($1, $2, $2, $3, '保温杯', 30, 9, 5, $4, $5)",
        vec![reward.into(), community.into(), PATH.into(), user_id("staff").into(), now.into()],
    )
    .await;
    // Each gets 40 and 60; redeems 30 four times: settled, cancelled, not collected, still waiting.
    for (number, name) in (1_u128..).zip(["resident-1", "resident-2"]) {
        let person = user_id(name);
        let wallet = ledger::account_id(community, Party::Person(person));
        account(wallet, "wallet", person.0, 70, 30).await;
        for (at, amount) in (10 * number..).zip([40, 60]) {
            let source = ("test", Uuid::from_u128(at));
            let key = Some(format!("test.rule:test:{}:{person}", source.1));
            let (kind, phase, pending) = ("award", "posted", None);
            let award = OldTransfer { kind, phase, pending, debit: issuance, credit: wallet, amount, key, source };
            old.transfer(clock, award).await;
        }
        old.run(
            "INSERT INTO points_scores (community_id, period, user_id, points, reached_at)
             SELECT $1, p.period, $2, 100, (SELECT MAX(created_at) FROM ledger_transfers WHERE credit_id = $3)
             FROM (SELECT $4 AS period UNION ALL SELECT $5 UNION ALL SELECT $6 UNION ALL SELECT 'all') AS p",
            [community.into(), person.into(), wallet.into()]
                .into_iter()
                .chain(periods(clock).map(Value::from))
                .collect(),
        )
        .await;
        for (state, end) in
            [("settled", Some("post")), ("cancelled", Some("void")), ("expired", Some("void")), ("reserved", None)]
        {
            let id: Uuid = ids::ordered(clock);
            let (kind, source) = ("redemption", ("redemption", id));
            let hold = |phase, pending| OldTransfer {
                kind,
                phase,
                pending,
                debit: wallet,
                credit: spent,
                amount: 30,
                key: None,
                source,
            };
            let pending = old.transfer(clock, hold("pending", None)).await;
            if let Some(end) = end {
                old.transfer(clock, hold(end, Some(pending))).await;
            }
            let ended = end.map(|_| now);
            let settled_by = (state == "settled").then(|| user_id("staff"));
            old.run(
                "INSERT INTO redemptions (id, reward_id, community_id, place_path, user_id, cost, state, code_hash, transfer_id,
                     created_at, expires_at, ended_at, settled_by)
                 VALUES ($1, $2, $3, $4, $5, 30, $6, $7, $8, $9, $10, $11, $12)",
                vec![
                    id.into(),
                    reward.into(),
                    community.into(),
                    PATH.into(),
                    person.into(),
                    state.into(),
                    id.to_string().into(),
                    pending.into(),
                    now.into(),
                    (now + chrono::Duration::hours(72)).into(),
                    ended.into(),
                    settled_by.into(),
                ],
            )
            .await;
        }
    }
}

/// Sign-ups as the first release wrote them: one credited, one that was marked by the clock, one seated, one waiting.
async fn signups(old: &Old, clock: &Clock) {
    let (community, now, staff) = (place_id(GUANGHUA), clock.now(), user_id("staff"));
    let hours = |hours| now + chrono::Duration::hours(hours);
    let activity: Uuid = ids::ordered(clock);
    old.run(
        "INSERT INTO activities (id, community_id, place_id, place_path, title, description, created_by, created_at)
         VALUES ($1, $2, $2, $3, '停车值守', '三班轮值', $4, $5)",
        vec![activity.into(), community.into(), PATH.into(), staff.into(), now.into()],
    )
    .await;
    for (from, seats, states) in [(-50, 2, ["credited", "no_show"]), (50, 1, ["confirmed", "waitlisted"])] {
        let shift: Uuid = ids::ordered(clock);
        let (starts, ends) = (hours(from), hours(from + 1));
        old.run(
            "INSERT INTO shifts (id, activity_id, community_id, place_path, starts_at, ends_at, capacity, taken, leader_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)",
            vec![
                shift.into(),
                activity.into(),
                community.into(),
                PATH.into(),
                starts.into(),
                ends.into(),
                seats.into(),
                staff.into(),
                now.into(),
            ],
        )
        .await;
        for (name, state) in ["resident-1", "resident-2"].into_iter().zip(states) {
            let credited = state == "credited";
            old.run(
                "INSERT INTO signups (id, shift_id, user_id, community_id, state, starts_at, ends_at, queued_at, proof,
                     checked_in_at, checked_out_at, minutes, points, confirmed_by, confirmed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
                vec![
                    ids::ordered::<Uuid>(clock).into(),
                    shift.into(),
                    user_id(name).into(),
                    community.into(),
                    state.into(),
                    starts.into(),
                    ends.into(),
                    now.into(),
                    json!({}).into(),
                    credited.then_some(starts).into(),
                    credited.then_some(ends).into(),
                    credited.then_some(60_i64).into(),
                    credited.then_some(0_i64).into(),
                    credited.then_some(staff.0).into(),
                    credited.then_some(now).into(),
                ],
            )
            .await;
        }
    }
}

/// The week, the month and the year that it is.
fn periods(clock: &Clock) -> [String; 3] {
    use linli::platform::calendar::day;
    use linli::points::domain::Period;
    [Period::Week, Period::Month, Period::Year].map(|period| period.key(day(clock.now())))
}

/// The community and the people of it that a ledger refers to.
async fn people(old: &Old, clock: &Clock) {
    let community = place_id(GUANGHUA);
    old.run(
        "INSERT INTO places (id, kind, code, name, path, community_id, settings, created_at)
         VALUES ($1, 'community', 'guanghua', '光华社区', $2, $1, $3, $4)",
        vec![community.into(), PATH.into(), json!({}).into(), clock.now().into()],
    )
    .await;
    for name in ["staff", "resident-1", "resident-2"] {
        old.run(
            "INSERT INTO users (id, openid, nickname, board_opt_out, last_login_at, created_at)
             VALUES ($1, $2, $2, $3, $4, $4)",
            vec![user_id(name).into(), name.into(), false.into(), clock.now().into()],
        )
        .await;
    }
}

#[actix_web::test]
async fn what_the_first_release_wrote_stays_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let database = Fresh::empty(folder.path()).await;
    let clock = Clock::default();
    let old = Old { connection: Database::connect(&database.url).await.unwrap() };
    Migrator::up(&old.connection, Some(FIRST_RELEASE)).await.unwrap();
    people(&old, &clock).await;
    first_release(&old, &clock).await;
    signups(&old, &clock).await;
    old.connection.close().await.unwrap();

    Db::migrate(&database.url).await.unwrap();
    let state = AppState::new(config(&database.url, folder.path(), ""), clock, app::capabilities()).await.unwrap();
    assert_eq!(verify::run(&state).await.unwrap(), Vec::<String>::new());
    let community = place_id(GUANGHUA);
    let balance =
        async |name| ledger::balance(state.db.read(), community, user_id(name), state.clock.now()).await.unwrap();
    for name in ["resident-1", "resident-2"] {
        assert_eq!(balance(name).await, Balance { available: 40, reserved: 30, debt: 0 });
        let paging = Paging::new(&state.keys, None, None).unwrap();
        let shown = ledger::entries(state.db.read(), community, user_id(name), &paging).await.unwrap();
        assert_eq!(shown.len(), 4, "two awards, what was spent, what is held");
    }
    let signups = signup::Entity::find().order_by_asc(signup::Column::Id).all(state.db.read()).await.unwrap();
    let states: Vec<_> = signups.iter().map(|row| (row.state.to_string(), row.minutes)).collect();
    let of = |state: &str, minutes| (state.to_owned(), minutes);
    assert_eq!(states, [of("credited", Some(60)), of("no_show", None), of("confirmed", None), of("waitlisted", None)]);
    let records = service_record::Entity::find().all(state.db.read()).await.unwrap();
    assert_eq!(records.iter().map(|row| (row.minutes, row.content.as_str())).collect::<Vec<_>>(), [(60, "停车值守")]);
    let lots = lot::Entity::find().order_by_asc(lot::Column::Id).all(state.db.read()).await.unwrap();
    let left: Vec<_> = lots.iter().map(|lot| (lot.amount, lot.remaining, lot.expires_at)).collect();
    assert_eq!(left, [(40, 0, None), (60, 40, None), (40, 0, None), (60, 40, None)], "the oldest went first");

    // What was awarded is not awarded again, what waits can be ended, and what is left can be spent.
    let again = points::Award {
        community_id: community,
        person: user_id("resident-1"),
        amount: 40,
        rule: "test.rule",
        source: ("test", Uuid::from_u128(10)),
        reason: "旧账".to_owned(),
        actor: None,
    };
    assert!(!transact(&state, async |txn| points::award(&state, txn, &again).await).await.unwrap());
    let waiting = redemption::Entity::find().filter(redemption::Column::State.eq(RedemptionState::Reserved));
    let waiting = waiting.order_by_asc(redemption::Column::Id).all(state.db.read()).await.unwrap();
    let [first, second] = [&waiting[0], &waiting[1]].map(|row| row.transfer_id);
    let grace = chrono::Duration::days(30);
    transact(&state, async |txn| {
        assert!(ledger::post(&state, txn, first, None).await?);
        assert!(ledger::void(&state, txn, second, None, grace).await?);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(balance("resident-1").await, Balance { available: 40, reserved: 0, debt: 0 });
    assert_eq!(balance("resident-2").await, Balance { available: 70, reserved: 0, debt: 0 });
    let findings = verify::run(&state).await.unwrap();
    assert!(
        findings.iter().all(|finding| finding.starts_with("rewards: ")),
        "only holds were ended here: {findings:?}"
    );
    state.db.clone().close().await.unwrap();
    database.drop().await;
}
