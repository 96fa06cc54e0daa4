//! Leaderboards: sorted sets in Redis or in process, and the rows that they follow.

use std::cell::Cell;
use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use entities::identity::user;
use entities::ids::UserId;
use entities::jobs::job;
use entities::points::score;
use futures_util::future::join_all;
use linli::platform::cache::{Change, Lease, Written};
use linli::platform::http::transact;
use linli::platform::jobs::worker;
use linli::platform::state::AppState;
use linli::points::board::{self, Board, Found, Name};
use linli::points::domain::Period;
use linli::points::{Award, award, lower_scores};
use rand::{RngExt, SeedableRng};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::points::credit;
use crate::support::{ANJING, BUILDING_1, GUANGHUA, Person, TestApp, place_id, user_id};

fn board(path: &str, period: &str) -> String {
    format!("/leaderboards?place_id={}&period={period}", place_id(path))
}

fn name(app: &TestApp, period: Period) -> Name {
    Name::now(&app.state, place_id(GUANGHUA), period)
}

fn resident(number: usize) -> String {
    format!("resident-{number}")
}

/// Makes the set of the app's own cache as its rows are, and there.
async fn settle(app: &TestApp, name: &Name) {
    board::tell(&app.state).await.unwrap();
    if app.state.sets.sorted_len(&name.key()).await.unwrap().is_none() {
        assert!(board::rebuild(&app.state, name).await.unwrap(), "nobody else is at it");
    }
}

fn from_set(found: Found) -> Board {
    match found {
        Found::Board(board) => board,
        other => panic!("no board: {other:?}"),
    }
}

/// One app and a second one without Redis on the same database: all the ways to read a board.
struct Ways<'a> {
    app: &'a TestApp,
    in_process: AppState,
}

impl<'a> Ways<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let mut config = app.state.config.clone();
        config.redis_url = None;
        let in_process = AppState::new(config, app.state.clock.clone(), linli::app::capabilities()).await.unwrap();
        Self { app, in_process }
    }

    /// Reads a board from the app's cache (Redis, where there is one), from a set in process and from the rows.
    async fn agree(&self, viewers: &[UserId], period: Period, limit: usize) {
        let name = name(self.app, period);
        settle(self.app, &name).await;
        self.in_process.cache.delete(&name.key()).await.unwrap();
        for viewer in viewers {
            let rows = board::read_rows(&self.app.state, &name, period, *viewer, limit).await.unwrap();
            for state in [&self.app.state, &self.in_process] {
                let set = board::read_set(state, &name, period, *viewer, limit).await.unwrap();
                assert_eq!(from_set(set), rows, "{} for {viewer}", state.cache.name());
            }
        }
    }

    async fn close(self) {
        self.in_process.db.clone().close().await.unwrap();
    }
}

/// Deletes what the test has in the cache, as FLUSHDB would.
async fn flush(app: &TestApp) {
    if let Some(url) = &app.state.config.redis_url {
        let mut redis = redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let pattern = format!("{}*", app.state.config.redis_prefix);
        let flush = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', key) end";
        let () = redis::cmd("EVAL").arg(flush).arg(0).arg(pattern).query_async(&mut redis).await.unwrap();
        return;
    }
    for period in Period::ALL {
        for part in ["", ":keeper", ":asked", ":checked"] {
            app.state.cache.delete(&format!("{}{part}", name(app, period).key())).await.unwrap();
        }
    }
}

async fn sql(app: &TestApp, statement: &str) {
    let txn = app.state.db.begin().await.unwrap();
    txn.execute_unprepared(statement).await.unwrap();
    txn.commit().await.unwrap();
}

async fn take_back(app: &TestApp, person: UserId, points: i64, at: DateTime<Utc>) {
    let lower = async |txn: &_| lower_scores(txn, place_id(GUANGHUA), person, points, at).await;
    transact(&app.state, lower).await.unwrap();
}

/// Undoes [`take_back`] behind Linli's back: these tests have no reversal in the ledger.
async fn give_back(app: &TestApp, person: UserId, points: i64) {
    let rows = score::Entity::find().filter(score::Column::UserId.eq(person)).all(app.state.db.read()).await.unwrap();
    let txn = app.state.db.begin().await.unwrap();
    for row in rows {
        let (points, version) = (row.points + points, row.version + 1);
        let row = score::ActiveModel { points: Set(points), version: Set(version), ..row.into() };
        score::Entity::update(row).exec(&txn).await.unwrap();
    }
    txn.commit().await.unwrap();
}

async fn opt_out(person: &Person, out: bool) {
    person.put("/me", json!({ "nickname": "王建国", "board_opt_out": out })).await.expect(200);
}

#[actix_web::test]
async fn a_board_ranks_ties_alike_and_shows_oneself_and_the_neighbours() {
    TestApp::run(async |app| {
        // In this order: resident-3 reached 40 before resident-2.
        let earned = [(5, 10), (3, 40), (1, 50), (2, 40), (4, 30), (6, 5), (7, 5), (8, 1)];
        for (at, (number, points)) in earned.into_iter().enumerate() {
            credit(app, &format!("resident-{number}"), points, Uuid::from_u128(at as u128)).await;
            // Who was first is decided by whole seconds.
            app.advance(Duration::seconds(1)).await;
        }
        let lines = |items: &Value| {
            let line = |item: &Value| (item["rank"].as_i64().unwrap(), item["points"].as_i64().unwrap());
            items.as_array().unwrap().iter().map(line).collect::<Vec<_>>()
        };
        for period in ["week", "month", "year", "all"] {
            let seen = app.sign_in("resident-4").await.get(&board(GUANGHUA, period)).await.expect(200);
            assert_eq!(seen["period"], period);
            assert_eq!(lines(&seen["items"]), [(1, 50), (2, 40), (2, 40), (4, 30), (5, 10), (6, 5), (6, 5), (8, 1)]);
            assert_eq!(seen["me"], json!({ "rank": 4, "points": 30 }));
            assert_eq!(lines(&seen["neighbours"]), [(1, 50), (2, 40), (2, 40), (5, 10), (6, 5), (6, 5)]);
        }
        let names = |items: &Value| {
            items.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        // Whole names: 王建国 leads; 李建国 is resident-2 and 张建国 resident-3.
        let second = app.sign_in("resident-2").await.get(&board(GUANGHUA, "all")).await.expect(200);
        assert_eq!(names(&second["items"])[..3], ["王**", "张**", "李**"]);
        assert_eq!(second["me"], json!({ "rank": 2, "points": 40 }));
        assert_eq!(lines(&second["neighbours"]), [(1, 50), (2, 40), (4, 30), (5, 10), (6, 5)]);
        let first = app.sign_in("resident-1").await.get(&board(GUANGHUA, "all")).await.expect(200);
        assert_eq!(lines(&first["neighbours"]), [(2, 40), (2, 40), (4, 30)]);
        // Within a tie the neighbour before has the same rank.
        let seventh = app.sign_in("resident-7").await.get(&board(GUANGHUA, "all")).await.expect(200);
        assert_eq!(lines(&seventh["neighbours"]), [(4, 30), (5, 10), (6, 5), (8, 1)]);
        assert_eq!(seventh["me"]["rank"], 6);
        // Somebody without points sees the board and no place on it.
        let staff = app.sign_in("staff").await;
        let seen = staff.get(&format!("{}&limit=2", board(BUILDING_1, "all"))).await.expect(200);
        assert_eq!(lines(&seen["items"]), [(1, 50), (2, 40)], "a building's board is its community's");
        assert_eq!((&seen["me"], &seen["neighbours"]), (&Value::Null, &json!([])));
        assert_eq!(staff.get(&board(ANJING, "all")).await.expect(200)["items"], json!([]));
    })
    .await;
}

#[actix_web::test]
async fn who_opts_out_is_neither_listed_nor_counted() {
    TestApp::run(async |app| {
        for (number, points) in [(1, 50), (2, 40), (3, 30)] {
            credit(app, &format!("resident-{number}"), points, Uuid::from_u128(number)).await;
        }
        let [first, second] = app.sign_in_all(["resident-1", "resident-2"]).await.try_into().ok().unwrap();
        first.put("/me", json!({ "nickname": "王建国", "board_opt_out": true })).await.expect(200);
        let seen = second.get(&board(GUANGHUA, "month")).await.expect(200);
        assert_eq!(seen["items"].as_array().unwrap().len(), 2);
        assert_eq!(seen["me"], json!({ "rank": 1, "points": 40 }));
        assert_eq!(first.get(&board(GUANGHUA, "month")).await.expect(200)["me"], Value::Null);
        first.put("/me", json!({ "nickname": "王建国", "board_opt_out": false })).await.expect(200);
        assert_eq!(second.get(&board(GUANGHUA, "month")).await.expect(200)["me"]["rank"], 2);
    })
    .await;
}

#[actix_web::test]
async fn a_new_period_begins_empty() {
    TestApp::run(async |app| {
        credit(app, "resident-1", 50, Uuid::from_u128(1)).await;
        app.advance(Duration::days(32)).await;
        credit(app, "resident-2", 10, Uuid::from_u128(2)).await;
        let person = app.sign_in("resident-2").await;
        for period in ["week", "month"] {
            let seen = person.get(&board(GUANGHUA, period)).await.expect(200);
            assert_eq!((seen["items"].as_array().unwrap().len(), &seen["me"]["rank"]), (1, &json!(1)));
        }
        let ever = person.get(&board(GUANGHUA, "all")).await.expect(200);
        assert_eq!((ever["items"].as_array().unwrap().len(), &ever["me"]["rank"]), (2, &json!(2)));
        assert_eq!(person.get("/me/points").await.expect(200)["earned"], 10);
    })
    .await;
}

#[actix_web::test]
async fn a_board_is_a_communitys_and_bad_questions_are_named() {
    TestApp::run(async |app| {
        let person = app.sign_in("resident-1").await;
        person.get(&board("/jiangan/chezhan/", "week")).await.names("?place_id");
        person.get(&board("/nowhere/", "week")).await.names("?place_id");
        person.get(&format!("{}&limit=51", board(GUANGHUA, "week"))).await.names("?limit");
        person.get(&format!("{}&limit=0", board(GUANGHUA, "week"))).await.names("?limit");
        person.get(&board(GUANGHUA, "decade")).await.refused(422, "invalid_input");
        person.get("/leaderboards").await.refused(422, "invalid_input");
        app.anonymous(reqwest::Method::GET, &board(GUANGHUA, "week"), &json!({})).await.refused(401, "unauthenticated");
    })
    .await;
}

// Guards, each taken out once: the version that an award raises, the opt-out in a row's place.
#[actix_web::test]
async fn awards_reversals_and_opt_outs_in_any_order_show_alike_in_redis_in_process_and_in_the_rows() {
    TestApp::run(async |app| {
        let mut chance = rand::rngs::StdRng::seed_from_u64(20_261_125);
        let personas: Vec<String> = (1..=14).map(resident).collect();
        let people = app.sign_in_all(&personas).await;
        let ids: Vec<UserId> = personas.iter().map(|persona| user_id(persona)).collect();
        let ways = Ways::of(app).await;
        let mut awards: Vec<(usize, i64, DateTime<Utc>)> = Vec::new();
        let mut taken: Vec<(usize, i64)> = Vec::new();
        let mut out = [false; 14];
        for step in 0..240_u128 {
            let who = chance.random_range(0..personas.len());
            match chance.random_range(0..12) {
                0..=5 => {
                    // Few and small, so that many are equal.
                    let points = chance.random_range(1..=3);
                    let at = app.state.clock.now();
                    assert!(credit(app, &personas[who], points, Uuid::from_u128(step)).await);
                    awards.push((who, points, at));
                }
                6 if !awards.is_empty() => {
                    let (who, points, at) = awards.swap_remove(chance.random_range(0..awards.len()));
                    take_back(app, ids[who], points, at).await;
                    taken.push((who, points));
                }
                7 => {
                    out[who] = !out[who];
                    opt_out(&people[who], out[who]).await;
                }
                8 => app.advance(Duration::seconds(chance.random_range(1..=2))).await,
                9 => board::tell(&app.state).await.unwrap(),
                10 => {
                    board::rebuild(&app.state, &name(app, Period::Week)).await.unwrap();
                }
                _ => flush(app).await,
            }
            if step % 12 == 11 {
                let period = Period::ALL[chance.random_range(0..4)];
                ways.agree(&ids, period, [1, 4, 50][chance.random_range(0..3)]).await;
            }
        }
        for period in Period::ALL {
            ways.agree(&ids, period, 50).await;
        }
        for (who, points) in taken {
            give_back(app, ids[who], points).await;
        }
        ways.agree(&ids, Period::All, 50).await;
        ways.close().await;
    })
    .await;
}

// Guard, taken out once: a note of the version that is there now would lose an award that came after the reading.
#[actix_web::test]
async fn awards_and_opt_outs_while_a_set_is_told_are_all_on_it() {
    TestApp::run(async |app| {
        let personas: Vec<String> = (1..=10).map(resident).collect();
        let ids: Vec<UserId> = personas.iter().map(|persona| user_id(persona)).collect();
        let people = app.sign_in_all(&personas[..4]).await;
        let name = name(app, Period::All);
        for (at, persona) in personas.iter().enumerate() {
            credit(app, persona, 1, Uuid::from_u128(at as u128)).await;
        }
        settle(app, &name).await;
        let stop = Cell::new(false);
        let awards = async {
            join_all(personas.iter().enumerate().map(async |(at, persona)| {
                for (points, source) in (1..=25).zip((at as u128) << 32 | 1..) {
                    assert!(credit(app, persona, points, Uuid::from_u128(source)).await);
                }
            }))
            .await;
            stop.set(true);
        };
        let opt_outs = join_all(people.iter().map(async |person| {
            for at in 0..12 {
                opt_out(person, at % 2 == 0).await;
            }
        }));
        let tellers = join_all((0..2).map(async |_| {
            while !stop.get() {
                board::tell(&app.state).await.unwrap();
                // Without Redis a reader does what the worker does with it.
                board::read_set(&app.state, &name, Period::All, ids[0], 10).await.unwrap();
            }
        }));
        futures_util::join!(awards, opt_outs, tellers);
        let ways = Ways::of(app).await;
        ways.agree(&ids, Period::All, 50).await;
        ways.close().await;
        let untold = score::Entity::find().filter(score::Column::UserId.is_in(ids)).all(app.state.db.read()).await;
        assert!(untold.unwrap().iter().filter(|row| row.period == "all").all(|row| row.boarded == row.version));
    })
    .await;
}

// For SKIP LOCKED: an award to several people locks their rows one by one, so that to wait for one could be a deadlock. SQLite
// has one writer at a time.
#[actix_web::test]
async fn to_tell_a_set_waits_for_no_award() {
    TestApp::run(async |app| {
        if !app.state.db.is_postgres() {
            return;
        }
        let name = name(app, Period::All);
        for (at, persona) in ["resident-1", "resident-2"].into_iter().enumerate() {
            credit(app, persona, 1, Uuid::from_u128(at as u128)).await;
        }
        let points = |persona: &str, source: u128| Award {
            community_id: place_id(GUANGHUA),
            person: user_id(persona),
            amount: 5,
            rule: "test.rule",
            source: ("signup", Uuid::from_u128(source)),
            reason: "志愿服务".to_owned(),
            actor: None,
        };
        transact(&app.state, async |txn| {
            award(&app.state, txn, &points("resident-1", 11)).await?;
            let told = async {
                board::tell(&app.state).await.unwrap();
                board::read_set(&app.state, &name, Period::All, user_id("resident-2"), 10).await.unwrap();
            };
            tokio::time::timeout(StdDuration::from_secs(20), told).await.expect("nobody waits");
            award(&app.state, txn, &points("resident-2", 12)).await
        })
        .await
        .unwrap();
        let ways = Ways::of(app).await;
        ways.agree(&[user_id("resident-1"), user_id("resident-2")], Period::All, 10).await;
        ways.close().await;
    })
    .await;
}

fn crowd_id(number: usize) -> UserId {
    UserId(Uuid::from_u128((0xc0d << 64) + number as u128))
}

/// People by the thousand, so that a board is rebuilt in several parts: with 2 points and more.
async fn crowd(app: &TestApp, count: usize) {
    let now = app.state.clock.now();
    let txn = app.state.db.begin().await.unwrap();
    for numbers in (0..count).collect::<Vec<_>>().chunks(1000) {
        let people = numbers.iter().map(|number| user::ActiveModel {
            id: Set(crowd_id(*number)),
            openid: Set(format!("crowd-{number}")),
            unionid: Set(None),
            nickname: Set("群众".to_owned()),
            board_opt_out: Set(number % 10 == 0),
            last_login_at: Set(now),
            created_at: Set(now),
        });
        user::Entity::insert_many(people).exec_without_returning(&txn).await.unwrap();
        let scores = numbers.iter().map(|number| score::ActiveModel {
            community_id: Set(place_id(GUANGHUA)),
            period: Set("all".to_owned()),
            user_id: Set(crowd_id(*number)),
            points: Set(2 + i64::try_from(number % 500).unwrap()),
            reached_at: Set(board::domain::second(now)),
            version: Set(1),
            boarded: Set(0),
        });
        score::Entity::insert_many(scores).exec_without_returning(&txn).await.unwrap();
    }
    txn.commit().await.unwrap();
}

/// They earned nothing in the ledger.
async fn disperse(app: &TestApp) {
    sql(app, "DELETE FROM points_scores WHERE user_id IN (SELECT id FROM users WHERE openid LIKE 'crowd-%')").await;
    sql(app, "DELETE FROM users WHERE openid LIKE 'crowd-%'").await;
    flush(app).await;
}

// Guards, each taken out once: a set is filled under a name of its own, and readers take the rows while there is none.
#[actix_web::test]
async fn redis_flushed_under_load_shows_nobody_an_empty_or_partial_board_and_the_same_ranks_afterwards() {
    TestApp::run(async |app| {
        crowd(app, 6_000).await;
        let personas: Vec<String> = (1..=8).map(resident).collect();
        for (at, persona) in personas.iter().enumerate() {
            // The first has one point, fewer than anybody, and never gets another.
            let points = if at == 0 { 1 } else { 300 };
            assert!(credit(app, persona, points, Uuid::from_u128(at as u128)).await);
        }
        let others = 6_000 / 10 * 9 + 7;
        let people = app.sign_in_all(&personas).await;
        let name = name(app, Period::All);
        let path = format!("{}&limit=50", board(GUANGHUA, "all"));
        let (stop, reads) = (Cell::new(false), Cell::new(0));
        let read = async |person: &Person, last: bool| {
            while !stop.get() {
                let seen = person.get(&path).await.expect(200);
                let points: Vec<i64> =
                    seen["items"].as_array().unwrap().iter().map(|line| line["points"].as_i64().unwrap()).collect();
                assert!(points.len() == 50 && points.is_sorted_by(|a, b| a >= b), "{seen}");
                assert!(points[49] >= 490, "a partial board: {seen}");
                if last {
                    assert_eq!(seen["me"], json!({ "rank": others + 1, "points": 1 }));
                    assert_eq!(seen["neighbours"].as_array().unwrap().len(), 3);
                } else {
                    assert!(seen["me"]["points"].as_i64().unwrap() >= 300, "{seen}");
                    assert_eq!(seen["neighbours"].as_array().unwrap().len(), 6);
                }
                reads.set(reads.get() + 1);
            }
        };
        let readers = join_all(people.iter().enumerate().map(|(at, person)| read(person, at == 0)));
        let work = async {
            while !stop.get() {
                board::tell(&app.state).await.unwrap();
                worker::drain(&app.state).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let awards = async {
            for at in 0..60_usize {
                let who = &personas[1 + at % 7];
                assert!(credit(app, who, 3, Uuid::from_u128(100 + at as u128)).await);
                if at % 5 == 4 {
                    flush(app).await;
                    let before = reads.get();
                    // After every other flush a reader brings the set back; the others come in the middle of that.
                    while at % 10 == 9 && app.state.sets.sorted_len(&name.key()).await.unwrap().is_none() {
                        tokio::task::yield_now().await;
                    }
                    while reads.get() < before + 3 {
                        tokio::task::yield_now().await;
                    }
                }
            }
            stop.set(true);
        };
        futures_util::join!(readers, work, awards);
        let ids: Vec<UserId> = personas.iter().map(|persona| user_id(persona)).collect();
        let ways = Ways::of(app).await;
        ways.agree(&ids, Period::All, 50).await;
        ways.close().await;
        let end = people[0].get(&path).await.expect(200);
        assert_eq!(end["me"]["rank"], others + 1);
        disperse(app).await;
    })
    .await;
}

#[actix_web::test]
async fn while_redis_is_down_boards_are_read_from_the_rows_and_nothing_is_lost() {
    TestApp::run(async |app| {
        for number in 1..=5 {
            credit(app, &resident(number), 10 * i64::try_from(number).unwrap(), Uuid::from_u128(number as u128)).await;
        }
        let mut config = app.state.config.clone();
        // Nobody listens there.
        config.redis_url = Some("redis://127.0.0.1:1/".to_owned());
        let down = AppState::new(config, app.state.clock.clone(), linli::app::capabilities()).await.unwrap();
        let (name, viewer) = (name(app, Period::Month), user_id("resident-2"));
        let rows = board::read_rows(&app.state, &name, Period::Month, viewer, 10).await.unwrap();
        assert_eq!(board::read(&down, name.community, Period::Month, viewer, 10).await.unwrap(), rows);
        assert!(board::tell(&down).await.is_err() && board::rebuild(&down, &name).await.is_err());
        assert_eq!(linli::verify::run(&down).await.unwrap(), Vec::<String>::new(), "it compares what there is");
        down.db.clone().close().await.unwrap();
        let untold = score::Entity::find().filter(score::Column::Boarded.eq(0));
        assert_eq!(untold.count(app.state.db.read()).await.unwrap(), 20, "four periods of five people wait");
        let ways = Ways::of(app).await;
        ways.agree(&[viewer], Period::Month, 10).await;
        ways.close().await;
    })
    .await;
}

// Guards, each taken out once: the lease's token in a write (conformance_sorted.rs has more), the version that an award raises.
#[actix_web::test]
async fn a_burst_of_awards_is_one_row_to_tell_and_waits_for_whoever_holds_the_lease() {
    TestApp::run(async |app| {
        let name = name(app, Period::All);
        credit(app, "resident-1", 5, Uuid::from_u128(1)).await;
        settle(app, &name).await;
        app.work().await;
        let key = format!("{}:keeper", name.key());
        assert!(app.state.cache.set_if_absent(&key, "another", StdDuration::from_mins(1)).await.unwrap());
        join_all((2..30).map(|at| credit(app, "resident-1", 1, Uuid::from_u128(at)))).await;
        let jobs: Vec<job::Model> = job::Entity::find().all(app.state.db.read()).await.unwrap();
        assert!(jobs.iter().all(|job| !job.kind.starts_with("points.")), "{jobs:?}");
        let untold = async || {
            let all = score::Entity::find().all(app.state.db.read()).await.unwrap();
            all.into_iter().filter(|row| row.boarded < row.version && row.period == "all").count()
        };
        board::tell(&app.state).await.unwrap();
        assert!(!board::rebuild(&app.state, &name).await.unwrap());
        assert_eq!(untold().await, 1);
        let lease = Lease { key: &key, token: "nobody's", ttl: StdDuration::from_secs(1) };
        let write = app.state.sets.sorted_write(&name.key(), &Change::default(), lease).await.unwrap();
        assert_eq!(write, Written::NotHolder);
        app.state.cache.delete(&key).await.unwrap();
        let ways = Ways::of(app).await;
        ways.agree(&[user_id("resident-1")], Period::All, 10).await;
        ways.close().await;
        assert_eq!(untold().await, 0);
    })
    .await;
}

// Guard, taken out once: an answer from the set with somebody who opted out is not given.
#[actix_web::test]
async fn who_opts_out_is_gone_at_once_though_the_set_was_not_told() {
    TestApp::run(async |app| {
        for (number, points) in [(1, 50), (2, 40), (3, 30)] {
            credit(app, &resident(number), points, Uuid::from_u128(number as u128)).await;
        }
        let name = name(app, Period::Month);
        settle(app, &name).await;
        let [first, second] = app.sign_in_all(["resident-1", "resident-2"]).await.try_into().ok().unwrap();
        let before = second.get(&board(GUANGHUA, "month")).await.expect(200);
        assert_eq!((before["items"].as_array().unwrap().len(), &before["me"]["rank"]), (3, &json!(2)));
        opt_out(&first, true).await;
        let after = second.get(&board(GUANGHUA, "month")).await.expect(200);
        assert_eq!((after["items"].as_array().unwrap().len(), &after["me"]["rank"]), (2, &json!(1)));
        assert_eq!(first.get(&board(GUANGHUA, "month")).await.expect(200)["me"], Value::Null);
        app.advance(Duration::seconds(2)).await;
        let seen = board::read_set(&app.state, &name, Period::Month, user_id("resident-2"), 10).await.unwrap();
        assert_eq!(serde_json::to_value(from_set(seen)).unwrap(), after);
        opt_out(&first, false).await;
        app.advance(Duration::seconds(2)).await;
        assert_eq!(second.get(&board(GUANGHUA, "month")).await.expect(200), before);
    })
    .await;
}

#[actix_web::test]
async fn a_reversal_lowers_the_boards_of_the_day_on_which_the_points_were_earned() {
    TestApp::run(async |app| {
        let earned_at = app.state.clock.now();
        for (number, points) in [(1, 50), (2, 40)] {
            credit(app, &resident(number), points, Uuid::from_u128(number as u128)).await;
        }
        app.advance(Duration::days(40)).await;
        credit(app, "resident-1", 7, Uuid::from_u128(3)).await;
        let ways = Ways::of(app).await;
        let points = async |period: Period| {
            let name = name(app, period);
            settle(app, &name).await;
            let seen = board::read_set(&app.state, &name, period, user_id("resident-1"), 10).await.unwrap();
            serde_json::to_value(from_set(seen)).unwrap()["me"].clone()
        };
        assert_eq!(points(Period::All).await, json!({ "rank": 1, "points": 57 }));
        take_back(app, user_id("resident-1"), 50, earned_at).await;
        assert_eq!(points(Period::All).await, json!({ "rank": 2, "points": 7 }));
        assert_eq!(points(Period::Month).await, json!({ "rank": 1, "points": 7 }), "another month's points");
        ways.agree(&[user_id("resident-1"), user_id("resident-2")], Period::All, 10).await;
        take_back(app, user_id("resident-2"), 40, earned_at).await;
        ways.agree(&[user_id("resident-1"), user_id("resident-2")], Period::All, 10).await;
        let seen = app.sign_in("resident-2").await.get(&board(GUANGHUA, "all")).await.expect(200);
        assert_eq!((seen["items"].as_array().unwrap().len(), &seen["me"]), (1, &Value::Null), "nothing is no score");
        ways.close().await;
        // More than there is cannot be taken.
        let lower = async |txn: &_| lower_scores(txn, place_id(GUANGHUA), user_id("resident-2"), 1, earned_at).await;
        assert!(transact(&app.state, lower).await.is_err());
        // Rows of the month in which they were earned, and of the year and all.
        for (persona, points) in [("resident-1", 50), ("resident-2", 40)] {
            let rows = score::Entity::find().filter(score::Column::UserId.eq(user_id(persona)));
            let txn = app.state.db.begin().await.unwrap();
            for row in rows.all(app.state.db.read()).await.unwrap() {
                if Period::ALL.map(|period| period.key(linli::platform::calendar::day(earned_at))).contains(&row.period)
                {
                    let (points, version) = (row.points + points, row.version + 1);
                    let row = score::ActiveModel { points: Set(points), version: Set(version), ..row.into() };
                    score::Entity::update(row).exec(&txn).await.unwrap();
                }
            }
            txn.commit().await.unwrap();
        }
    })
    .await;
}

/// Writes into a board's set as no keeper would.
async fn tamper(app: &TestApp, name: &Name, change: Change) {
    let key = format!("{}:keeper", name.key());
    let lease = Lease { key: &key, token: "tamperer", ttl: StdDuration::from_secs(30) };
    app.state.cache.set(&key, lease.token, lease.ttl).await.unwrap();
    assert_eq!(app.state.sets.sorted_write(&name.key(), &change, lease).await.unwrap(), Written::Done);
    app.state.cache.delete(&key).await.unwrap();
}

#[actix_web::test]
async fn verify_finds_a_board_that_differs_and_the_check_makes_it_anew() {
    TestApp::run(async |app| {
        for number in 1..=6 {
            credit(app, &resident(number), 10 * i64::try_from(number).unwrap(), Uuid::from_u128(number as u128)).await;
        }
        let name = name(app, Period::Month);
        settle(app, &name).await;
        let findings = async || linli::verify::run(&app.state).await.unwrap();
        assert_eq!(findings().await, Vec::<String>::new());
        let [three, nobody] = [user_id("resident-3").0, Uuid::from_u128(77)];
        let corruptions = [
            ("another score", Change { put: vec![(three, 12_345)], ..Change::default() }),
            ("a person less", Change { remove: vec![three], ..Change::default() }),
            ("a person more", Change { put: vec![(nobody, 12_345)], ..Change::default() }),
        ];
        for (what, change) in corruptions {
            tamper(app, &name, change).await;
            let found = findings().await;
            assert!(!found.is_empty() && found.iter().all(|one| one.contains("the board")), "{what}: {found:?}");
            board::check(&app.state).await.unwrap();
            assert_eq!(findings().await, Vec::<String>::new(), "{what}: made anew");
        }
        // The rows: neither the ledger nor the set agrees with them any more.
        sql(app, "UPDATE points_scores SET points = points + 1 WHERE period = 'all'").await;
        assert!(findings().await.iter().any(|one| one.contains("the ledger says")));
        sql(app, "UPDATE points_scores SET points = points - 1 WHERE period = 'all'").await;
        sql(app, &format!("UPDATE points_scores SET points = points + 1 WHERE period = '{}'", name.period)).await;
        assert!(findings().await.iter().any(|one| one.contains("the board")));
        sql(app, &format!("UPDATE points_scores SET points = points - 1 WHERE period = '{}'", name.period)).await;
    })
    .await;
}

// The pages of a check begin where the last one ended.
#[actix_web::test]
async fn checks_come_to_every_row_in_turn() {
    TestApp::run(async |app| {
        crowd(app, 2_500).await;
        let name = name(app, Period::All);
        settle(app, &name).await;
        // The last by id: neither the number of people nor the first thousand tells.
        let last = crowd_id(2_499).0;
        tamper(app, &name, Change { put: vec![(last, 1)], ..Change::default() }).await;
        let first = async || {
            let view = linli::platform::cache::View { first: 1, member: last, around: 0, group: 1 << 29 };
            app.state.sets.sorted_view(&name.key(), view).await.unwrap().unwrap().first[0]
        };
        let mut checks = 0;
        while first().await == (last, 1) {
            board::check(&app.state).await.unwrap();
            checks += 1;
            assert!(checks <= 3, "2,500 rows are three parts of a thousand");
        }
        assert!(checks > 1, "the demo's ids come before");
        disperse(app).await;
    })
    .await;
}

#[actix_web::test]
async fn a_score_that_a_sorted_set_has_no_room_for_is_read_from_the_rows() {
    TestApp::run(async |app| {
        for number in 1..=3 {
            credit(app, &resident(number), 10, Uuid::from_u128(number as u128)).await;
        }
        let name = name(app, Period::All);
        settle(app, &name).await;
        let set = format!("= {}, version = version + 1", board::domain::MOST + 1);
        sql(app, &format!("UPDATE points_scores SET points {set} WHERE period = 'all' AND points = 10")).await;
        app.advance(Duration::seconds(2)).await;
        assert!(!board::rebuild(&app.state, &name).await.unwrap());
        let seen = app.sign_in("resident-1").await.get(&board(GUANGHUA, "all")).await.expect(200);
        assert_eq!(seen["me"], json!({ "rank": 1, "points": 1 << 24 }));
        assert_eq!(app.state.sets.sorted_len(&name.key()).await.unwrap(), None);
        sql(app, "UPDATE points_scores SET points = 10, version = version + 1 WHERE period = 'all'").await;
    })
    .await;
}

#[actix_web::test]
async fn a_community_switches_its_boards_off() {
    TestApp::run(async |app| {
        credit(app, "resident-1", 10, Uuid::from_u128(1)).await;
        let person = app.sign_in("resident-1").await;
        let [staff, street] = app.sign_in_all(["staff", "street"]).await.try_into().ok().unwrap();
        let set = async |who: &Person, path: &str, settings: Value| {
            who.put(&format!("/places/{}/settings", place_id(path)), settings).await.expect(200);
        };
        set(&staff, GUANGHUA, json!({ "leaderboard": false })).await;
        for period in ["week", "month", "year", "all"] {
            let refused = person.get(&board(GUANGHUA, period)).await.refused(404, "leaderboard_off");
            assert_eq!(refused["title"], "本社区未开放排行榜");
            person.get(&board(BUILDING_1, period)).await.refused(404, "leaderboard_off");
        }
        person.get(&board(ANJING, "all")).await.expect(200);
        // What is nearer wins.
        set(&street, "/jiangan/chezhan/", json!({ "leaderboard": false })).await;
        set(&staff, GUANGHUA, json!({ "leaderboard": true })).await;
        assert_eq!(person.get(&board(GUANGHUA, "all")).await.expect(200)["me"]["rank"], 1);
        set(&staff, GUANGHUA, json!({})).await;
        person.get(&board(GUANGHUA, "all")).await.refused(404, "leaderboard_off");
    })
    .await;
}

#[actix_web::test]
async fn a_board_that_did_not_change_is_answered_with_304() {
    TestApp::run(async |app| {
        credit(app, "resident-1", 10, Uuid::from_u128(1)).await;
        let person = app.sign_in("resident-1").await;
        let path = board(GUANGHUA, "all");
        // From the rows, or from the set: the answer and its tag are the same.
        let tag = person.get(&path).await.headers["etag"].clone();
        settle(app, &name(app, Period::All)).await;
        let get = || person.request(reqwest::Method::GET, &path).header("if-none-match", tag.clone());
        assert_eq!(person.send(get()).await.status, 304);
        credit(app, "resident-1", 10, Uuid::from_u128(2)).await;
        app.advance(Duration::seconds(2)).await;
        assert_eq!(person.send(get()).await.expect(200)["me"]["points"], 20);
    })
    .await;
}

/// What was written before this release: microseconds, and a year in which there was no Linli.
#[actix_web::test]
async fn rows_of_an_earlier_release_keep_their_points_and_count_whole_seconds() {
    use migration::{Migrator, MigratorTrait};
    use sea_orm::{ConnectOptions, Database};
    const BEFORE: u32 = 12;
    let folder = tempfile::tempdir().unwrap();
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", folder.path().join("old.db").display()));
    let mut schema = None;
    if let Ok(url) = std::env::var("LINLI_TEST_DATABASE_URL") {
        let name = format!("old_{}", linli::platform::ids::unordered::<Uuid>().simple());
        let server = Database::connect(&url).await.unwrap();
        server.execute_unprepared(&format!("CREATE SCHEMA {name}")).await.unwrap();
        options = ConnectOptions::new(url);
        options.set_schema_search_path(format!("{name},public"));
        schema = Some((server, name));
    }
    options.max_connections(1).sqlx_logging(false);
    let old = Database::connect(options).await.unwrap();
    Migrator::up(&old, Some(BEFORE)).await.unwrap();
    let id = |number: u8| {
        let hex = format!("{number:032x}");
        if schema.is_some() { format!("'{hex}'") } else { format!("x'{hex}'") }
    };
    let json = "'{}'";
    for statement in [
        format!(
            "INSERT INTO places (id, kind, code, name, path, community_id, settings, created_at)
             VALUES ({0}, 'community', 'a', '社区', '/a/', {0}, {json}, '2026-01-01T00:00:00+00:00')",
            id(1)
        ),
        format!(
            "INSERT INTO users (id, openid, nickname, board_opt_out, last_login_at, created_at)
             VALUES ({}, 'o', '王', false, '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')",
            id(2)
        ),
        format!(
            "INSERT INTO points_scores (community_id, period, user_id, points, reached_at) VALUES
             ({0}, 'all', {1}, 7, '2026-11-24T08:09:10.999999+00:00'), ({0}, '2024', {1}, 5, '2024-11-24T08:09:10+00:00')",
            id(1),
            id(2)
        ),
    ] {
        old.execute_unprepared(&statement).await.unwrap();
    }
    Migrator::up(&old, Some(1)).await.unwrap();
    let mut rows = score::Entity::find().all(&old).await.unwrap();
    rows.sort_by_key(|row| row.points);
    let seen: Vec<_> =
        rows.iter().map(|row| (row.points, row.reached_at.to_rfc3339(), row.version, row.boarded)).collect();
    assert_eq!(
        seen,
        [(5, "2026-01-01T00:00:00+00:00".to_owned(), 1, 1), (7, "2026-11-24T08:09:10+00:00".to_owned(), 1, 1)]
    );
    old.execute_unprepared("UPDATE users SET board_opt_out = true").await.unwrap();
    old.execute_unprepared("UPDATE users SET nickname = '李'").await.unwrap();
    let rows = score::Entity::find().all(&old).await.unwrap();
    assert!(rows.iter().all(|row| (row.version, row.boarded) == (2, 1)), "one change: {rows:?}");
    old.close().await.unwrap();
    if let Some((server, name)) = schema {
        server.execute_unprepared(&format!("DROP SCHEMA {name} CASCADE")).await.unwrap();
    }
}
